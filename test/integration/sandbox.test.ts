import { spawnSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerSpec, EngineApi, MountRequest } from '../../electron/engine/api/index.ts';
import { openEngine } from '../../electron/engine/engine.ts';
import { nodeHost } from '../../electron/supervisor/node-host.ts';
import { fixture } from '../fixtures/compile.ts';
import { buildRunner } from '../support/runner.ts';
import { until } from '../support/until.ts';

/** Only what lies outside of the mounts holds it, and a name there is it. */
const TOKEN = 'only-outside';

describe('the file system of real containers', () => {
  let base: string;
  let engine: EngineApi;
  /** A directory that is mounted, and one beside it that no guest may reach. */
  let shared: string;
  let outside: string;
  let before: string;

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), 'drydock-sandbox-'));
    engine = await openEngine({
      home: join(base, 'home'),
      processHost: nodeHost({ runnerPath: await buildRunner(join(base, 'dist')) }),
      version: 'test',
    });
    await engine.images.importModule(createReadStream(fixture('escape')), {
      fileName: 'escape.wasm',
      reference: 'escape',
    });
  });
  afterAll(async () => {
    await engine.close();
    rmSync(base, { recursive: true, force: true });
  });

  beforeEach(() => {
    const here = mkdtempSync(join(base, 'host-'));
    shared = join(here, 'shared');
    outside = join(here, 'outside');
    mkdirSync(shared);
    mkdirSync(outside);
    writeFileSync(join(here, 'secret'), TOKEN);
    for (const name of ['file', TOKEN]) writeFileSync(join(outside, name), TOKEN);
    before = look();
  });
  // Whatever a test does, what lies outside is as it was.
  afterEach(() => expect(look()).toBe(before));

  /** What lies beside the mounted directory, with inodes, sizes and times of change. */
  function look(): string {
    const here = join(shared, '..');
    return readdirSync(here, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('shared'))
      .sort()
      .map((name) => {
        const stat = statSync(join(here, name), { bigint: true });
        return `${name} ${stat.ino} ${stat.size} ${stat.nlink} ${stat.mtimeNs}`;
      })
      .join('\n');
  }

  const bind = (target: string, readOnly = false): MountRequest => ({
    type: 'bind',
    source: shared,
    target,
    readOnly,
    createSource: false,
  });

  /** A container that runs; `said` gives what it has printed so far. */
  async function start(command: readonly string[], spec: Partial<ContainerSpec> = {}) {
    const { id } = await engine.containers.create({ image: 'escape', command, ...spec });
    const { output } = engine.containers.attach(id, {
      stdin: false,
      stdout: true,
      stderr: true,
      logs: false,
      stream: true,
    });
    let text = '';
    const read = (async () => {
      for await (const batch of output) for (const { data } of batch) text += Buffer.from(data).toString();
    })();
    const ended = engine.containers.wait(id, 'next-exit').result;
    await engine.containers.start(id);
    return {
      id,
      said: () => text,
      end: () => Promise.all([ended, read]).then(([{ exitCode }]) => ({ exitCode, text })),
    };
  }

  const run = async (command: readonly string[], spec: Partial<ContainerSpec> = {}): Promise<string> => {
    const { exitCode, text } = await (await start(command, spec)).end();
    expect(exitCode, text).toBe(0);
    return text;
  };

  it('has no way out through links that were there before', async () => {
    mkdirSync(join(shared, 'a/b'), { recursive: true });
    const links: Record<string, string> = {
      up: '../secret',
      out: '../outside',
      'a/b/deep': '../../../outside',
      folder: '..',
      absolute: join(shared, '../secret'),
      'absolute-folder': outside,
      magic: '/proc/self/root',
      cwd: '/proc/self/cwd',
      descriptors: '/proc/self/fd',
      dangling: '../made',
      'dangling-absolute': join(shared, '../made'),
      chain: 'chain2',
      chain2: 'folder/secret',
      loop: 'loop',
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(shared, name));
    const below = [
      ...Object.keys(links),
      'folder/secret',
      'folder/outside',
      'out/file',
      'a/b/deep/file',
      'absolute-folder/file',
      `magic${outside}`,
      `magic${outside}/file`,
      `folder/../..${outside}`,
    ];
    const paths = below.flatMap((name) => [`/mnt/${name}`, `/mnt/../mnt/./${name}`, `mnt/${name}`]);
    expect(await run(['reach', TOKEN, ...paths], { mounts: [bind('/mnt')] })).toBe('done\n');
    expect(existsSync(join(shared, '../made'))).toBe(false);
    const isolation = 'shared' as const;
    expect(await run(['reach', TOKEN, ...paths], { mounts: [bind('/mnt')], isolation })).toBe('done\n');
  });

  it('has no way out through paths alone', async () => {
    const paths = [
      '/../secret',
      '/mnt/../../secret',
      '/mnt/..',
      '../../../../../../../..',
      `..${outside}`,
      outside,
      '//proc/self/root',
      '/proc/self/root',
      '/proc/1/root',
      '/dev/mem',
      '/mnt/./../../outside',
      '/mnt/a/../../../outside/file',
    ];
    expect(await run(['reach', TOKEN, ...paths], { mounts: [bind('/mnt')] })).toBe('done\n');
  });

  it('has no way out through links that a guest makes and moves', async () => {
    expect(await run(['links', TOKEN, '/mnt'], { mounts: [bind('/mnt')] })).toMatch(/^absolute EPERM\ndone\n$/);
    expect(await run(['links', TOKEN, '/'])).toMatch(/done\n$/);
    await run(['links', TOKEN, '/vol'], {
      mounts: [{ type: 'volume', name: 'links', target: '/vol', readOnly: false }],
    });
  });

  it('keeps a guest inside while another container exchanges a directory of the same volume for a link, and the host another', async () => {
    const make = (where: string): void => {
      mkdirSync(join(where, 'swap'), { recursive: true });
      writeFileSync(join(where, 'swap/file'), 'inside');
    };
    make(join(shared, 'theirs'));
    make(join(shared, 'ours'));
    symlinkSync('../outside', join(shared, 'outside'));
    symlinkSync('../../outside', join(shared, 'ours/evil'));
    const mounts = [bind('/mnt')];
    const attacker = await start(['exchange', '/mnt/theirs'], { mounts });
    await until('the other container', () => attacker.said().includes('ready'));
    const victims = [
      await start(['hammer', '/mnt/theirs', '12000'], { mounts }),
      await start(['hammer', '/mnt/ours', '8000'], { mounts }),
    ];
    let over = false;
    const ends = Promise.all(victims.map((victim) => victim.end())).finally(() => (over = true));
    const [swap, good, evil] = ['swap', 'good', 'evil'].map((name) => join(shared, 'ours', name)) as [
      string,
      string,
      string,
    ];
    while (!over) {
      for (let turn = 0; turn < 50; turn++) {
        renameSync(swap, good);
        renameSync(evil, swap);
        renameSync(swap, evil);
        renameSync(good, swap);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await ends).map(({ text }) => text)).toEqual([
      '12000 tries, some inside, some refused, 0 escaped\n',
      '8000 tries, some inside, some refused, 0 escaped\n',
    ]);
    writeFileSync(join(shared, 'theirs/stop'), '');
    expect((await attacker.end()).text).toBe('ready\nexchanged often\n');
  });

  it('refuses every change of what is mounted read-only, hard links included', async () => {
    for (const name of ['a', 'b']) writeFileSync(join(shared, name), name);
    symlinkSync('a', join(shared, 'l'));
    const mounts = [bind('/ro', true), bind('/rw')];
    const all = 'write EROFS link EROFS rename EROFS unlink EROFS';
    expect(await run(['answers', '/ro/a', '/ro/l'], { mounts })).toBe(`/ro/a: read ok ${all}\n/ro/l: read ok ${all}\n`);
    expect(readdirSync(shared).sort()).toEqual(['a', 'b', 'l']);
    expect(readFileSync(join(shared, 'a'), 'utf8')).toBe('a');
    expect(statSync(join(shared, 'a')).nlink).toBe(1);
    // A link and its rename to the name of the same file: rename(2) does nothing, so the old name is still there.
    expect(await run(['answers', '/rw/b'], { mounts })).toBe('/rw/b: read ok write ok link ok rename ok unlink ok\n');
  });

  it('has a root that can be read only, with tmpfs and volumes in it that can be written', async () => {
    writeFileSync(join(shared, 'a'), 'a');
    const spec: Partial<ContainerSpec> = {
      readOnlyRoot: true,
      mounts: [
        { type: 'tmpfs', target: '/tmp', size: 1 << 20, readOnly: false },
        { type: 'tmpfs', target: '/sealed', readOnly: true },
        { type: 'volume', name: 'kept', target: '/kept', readOnly: false },
      ],
    };
    const answers = await run(['answers', '/escape.wasm', '/new', '/tmp/x', '/kept/x', '/sealed/x'], spec);
    expect(answers.split('\n').slice(0, 5)).toEqual([
      '/escape.wasm: read ok write EROFS link EROFS rename EROFS unlink EROFS',
      '/new: read ENOENT write EROFS link EROFS rename EROFS unlink ENOENT',
      '/tmp/x: read ENOENT write ok link ok rename ok unlink ok',
      '/kept/x: read ENOENT write ok link ok rename ok unlink ok',
      '/sealed/x: read ENOENT write EROFS link EROFS rename EROFS unlink ENOENT',
    ]);
    const filled = await run(['fill', '/tmp/big'], spec);
    expect(filled).toMatch(/^\d+ KB, ENOSPC\n$/);
    const size = Number(filled.split(' ')[0]);
    expect(size).toBeGreaterThan(800);
    expect(size).toBeLessThanOrEqual(1024);
  });

  it('gives the mounts of another container with volumesFrom, as they are or read-only', async () => {
    const volume: MountRequest = { type: 'volume', name: 'given', target: '/v', readOnly: false };
    await engine.containers.create({
      image: 'escape',
      name: 'giver',
      command: ['x'],
      mounts: [volume, bind('/b', true)],
    });
    const from = (readOnly: boolean): Partial<ContainerSpec> => ({ volumesFrom: [{ container: 'giver', readOnly }] });
    expect(await run(['answers', '/v/f', '/b/f'], from(false))).toBe(
      '/v/f: read ENOENT write ok link ok rename ok unlink ok\n' +
        '/b/f: read ENOENT write EROFS link EROFS rename EROFS unlink EROFS\n',
    );
    expect(await run(['answers', '/v/f.second'], from(true))).toBe(
      '/v/f.second: read ok write EROFS link EROFS rename EROFS unlink EROFS\n',
    );
    expect(await run(['links', TOKEN, '/v'], from(false))).toMatch(/done\n$/);
  });

  it.skipIf(process.platform === 'win32')(
    'does not wait for a pipe, socket or device in a mount, and gives an errno',
    async () => {
      const pipe = join(shared, 'pipe');
      expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(shared, 'socket'), resolve));
      const names = ['pipe', 'socket'];
      if (process.platform === 'linux' && process.getuid?.() === 0) {
        expect(spawnSync('mknod', [join(shared, 'device'), 'c', '1', '5']).status).toBe(0);
        names.push('device');
      }
      const text = await run(['answers', ...names.map((name) => `/mnt/${name}`)], { mounts: [bind('/mnt')] });
      expect(text.trimEnd().split('\n')).toEqual(
        names.map((name) => `/mnt/${name}: read ENXIO write ENXIO link ok rename ok unlink ok`),
      );
      await new Promise((resolve) => server.close(resolve));
    },
  );
});
