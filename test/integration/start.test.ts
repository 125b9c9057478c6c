import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const script = join(root, 'build/start.mjs');

/** A Node of another version on this machine's PATH, if there is one. */
const otherNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((directory) => join(directory, 'node'))
  .find((path) => {
    const version = existsSync(path) ? spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim() : '';
    return /^v(2\d|[3-9]\d)\./.test(version) && version !== process.version;
  });

/** Runs `npm start`'s script; ends it when the test has not. */
function start(args: readonly string[], env: NodeJS.ProcessEnv, node = process.execPath) {
  const clean = { ...process.env };
  for (const name of ['DISPLAY', 'WAYLAND_DISPLAY', 'ELECTRON_OVERRIDE_DIST_PATH']) delete clean[name];
  const child = spawn(node, [script, ...args], { env: { ...clean, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output, ended };
}

describe.skipIf(process.platform === 'win32')('npm start', () => {
  let base: string;
  let stub: NodeJS.ProcessEnv;
  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'drydock-start-'));
    // A program in Electron's place: says how it was called, and stays when asked to.
    const program = join(base, process.platform === 'darwin' ? 'Electron.app/Contents/MacOS/Electron' : 'electron');
    writeFileSync(
      program,
      '#!/bin/sh\nprintf "%s\\n" "$@"\ncase "$*" in *--stay*) trap "exit 9" TERM; while :; do sleep 0.05; done;; esac\nexit 7\n',
    );
    chmodSync(program, 0o755);
    stub = { ELECTRON_OVERRIDE_DIST_PATH: base, DISPLAY: ':99' };
  });
  afterAll(() => rmSync(base, { recursive: true }));

  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

  it('opens Electron with the flags, and gives its exit code', async () => {
    const { ended, output } = start(['--home', '/h'], stub);
    expect(await ended).toBe(7);
    expect(output.stdout.trim().split('\n')).toEqual([root, ...(isRoot ? ['--no-sandbox'] : []), '--home', '/h']);
    if (isRoot) expect(output.stderr).toContain('--no-sandbox');
  });

  it('hands signals on', async () => {
    const { child, ended, output } = start(['--stay'], stub);
    await until('the program', () => output.stdout.includes('--stay'));
    child.kill('SIGTERM');
    expect(await ended).toBe(9);
  });

  it('says what is wrong with an override that leads nowhere', async () => {
    const { ended, output } = start([], { ELECTRON_OVERRIDE_DIST_PATH: join(base, 'none'), DISPLAY: ':99' });
    expect(await ended).toBe(1);
    expect(output.stderr).toMatch(/^drydock: ELECTRON_OVERRIDE_DIST_PATH is .*none, but there is no .*\n$/m);
  });

  it.skipIf(process.platform !== 'linux')(
    'without a display it says so in one line and serves the window',
    async () => {
      const socket = `unix://${join(base, 'd.sock')}`;
      const { child, ended, output } = start(['--home', join(base, 'home'), '--docker-host', socket], {});
      try {
        await until('the two lines', () => /^Open http/m.test(output.stdout));
        expect(output.stdout).toMatch(new RegExp(`^DOCKER_HOST=${socket}$`, 'm'));
        expect(output.stderr.trim().split('\n').at(-1)).toMatch(/^There is no display: .*npm start -- --web/);
      } finally {
        child.kill('SIGTERM');
      }
      expect(await ended).toBe(0);
    },
  );

  it.skipIf(otherNode === undefined)('goes on under the pinned Node when another one started it', async () => {
    const { ended, output } = start(['--version'], {}, otherNode);
    expect(await ended).toBe(0);
    expect(output.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
