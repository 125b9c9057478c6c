import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TransferMessage } from '../../electron/contract/registries.ts';
import { tarOf } from '../../electron/engine/images/testing.ts';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { person, skopeo, startProxy, startRegistry, type TestProxy, type TestRegistry } from '../support/registry.ts';
import { hasDocker, hasRegistryTools } from '../support/tools.ts';
import { openWindow } from '../support/window.ts';

const sha256 = (bytes: Uint8Array | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A directory for the context of an image `tool`. */
const toolContext = (more: Readonly<Record<string, Uint8Array>> = {}): string =>
  buildContext({
    'tool.wasm': { from: fixture('tool') },
    Dockerfile: 'FROM scratch\nCOPY . /\nENTRYPOINT ["/tool.wasm"]\n',
    '.dockerignore': 'Dockerfile\n',
    ...more,
  });

/** Runs the CLI and fails with what it said. */
async function docker(engine: TestEngine, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await engine.docker(args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Everything of an engine's images goes: what is pulled next is pulled whole. */
const forget = (engine: TestEngine) => docker(engine, 'image', 'prune', '-a', '-f');

describe.skipIf(!hasDocker() || !hasRegistryTools())('a registry on loopback', () => {
  let registry: TestRegistry;
  let engine: TestEngine;
  let directory: string;
  let context: string;
  let tool: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'drydock-registry-test-'));
    [registry, engine] = await Promise.all([startRegistry(), startEngine()]);
    tool = `${registry.host}/tool:1`;
    context = toolContext();
    await docker(engine, 'build', '-q', '-t', tool, context);
  });
  afterAll(async () => {
    await engine?.stop();
    await registry?.stop();
    for (const each of [directory, context]) if (each) removeDirectory(each);
  });

  it('takes what was built; docker run of a missing image pulls it; the digests are the same', async () => {
    const pushed = await docker(engine, 'push', tool);
    expect(pushed).toContain(`The push refers to repository [${registry.host}/tool]`);
    const digest = /1: digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(pushed)?.[1];
    expect(digest).toBeDefined();
    expect(await docker(engine, 'push', tool)).toContain('Layer already exists');
    expect(await docker(engine, 'inspect', '--format', '{{join .RepoDigests ","}}', tool)).toBe(
      `${registry.host}/tool@${digest}\n`,
    );
    await forget(engine);
    const run = await engine.docker(['run', '--rm', tool, 'both']);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(`Unable to find image '${tool}' locally`);
    expect(run.stderr).toContain(`Digest: ${digest}`);
    expect(run.stderr).toContain(`Status: Downloaded newer image for ${tool}`);
    expect(await docker(engine, 'pull', tool)).toContain(`Status: Image is up to date for ${tool}`);
    expect(await docker(engine, 'pull', '-q', `${registry.host}/tool@${digest}`)).toBe(
      `${registry.host}/tool@${digest}\n`,
    );
  });

  it('shows it to skopeo, which copies it on; the copy runs here too', async () => {
    const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', `docker://${tool}`)) as Record<
      string,
      unknown
    >;
    expect(inspected).toMatchObject({ Name: `${registry.host}/tool`, Architecture: 'wasm', Os: 'wasi' });
    const config = JSON.parse(await skopeo('inspect', '--config', '--tls-verify=false', `docker://${tool}`)) as unknown;
    expect(config).toMatchObject({ config: { Entrypoint: ['/tool.wasm'] } });
    const platform = ['--override-os', 'wasi', '--override-arch', 'wasm'];
    await skopeo(...platform, 'copy', '--src-tls-verify=false', `docker://${tool}`, `oci:${directory}/copy:1`);
    const copied = `${registry.host}/by-skopeo/tool:2`;
    await skopeo(...platform, 'copy', '--dest-tls-verify=false', `oci:${directory}/copy:1`, `docker://${copied}`);
    expect((await engine.docker(['run', '--rm', '--pull', 'always', copied, 'exit', '7'])).code).toBe(7);
    const ids = await docker(engine, 'inspect', '--format', '{{.Id}}', tool, copied);
    expect(new Set(ids.trim().split('\n')).size).toBe(1);
  });

  it('runs an image of layers in gzip and zstd that skopeo pushed from a hand-made layout', async () => {
    const layout = join(directory, 'layout');
    mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
    const put = (bytes: Uint8Array | string, mediaType: string) => {
      const digest = sha256(bytes);
      writeFileSync(join(layout, 'blobs/sha256', digest.slice(7)), bytes);
      return { mediaType, digest, size: Buffer.byteLength(bytes as Uint8Array) };
    };
    const program = await tarOf([
      { name: 'bin/', type: 'directory' },
      { name: 'bin/tool.wasm', content: readFileSync(fixture('tool')) },
    ]);
    const data = await tarOf([{ name: 'data/hello.txt', content: 'hello from zstd\n' }]);
    const manifest = put(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: put(
          JSON.stringify({
            architecture: 'wasm',
            os: 'wasip1',
            config: { Entrypoint: ['/bin/tool.wasm'], Cmd: ['read', '/data/hello.txt'] },
            rootfs: { type: 'layers', diff_ids: [sha256(program), sha256(data)] },
          }),
          'application/vnd.oci.image.config.v1+json',
        ),
        layers: [
          put(gzipSync(program), 'application/vnd.oci.image.layer.v1.tar+gzip'),
          put(zstdCompressSync(data), 'application/vnd.oci.image.layer.v1.tar+zstd'),
        ],
      }),
      'application/vnd.oci.image.manifest.v1+json',
    );
    writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(
      join(layout, 'index.json'),
      JSON.stringify({
        schemaVersion: 2,
        manifests: [{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'x' } }],
      }),
    );
    const name = `${registry.host}/hand-made:1`;
    await skopeo('copy', '--all', '--dest-tls-verify=false', `oci:${layout}:x`, `docker://${name}`);
    expect(await docker(engine, 'run', '--rm', name)).toBe('hello from zstd\n');
    expect(await docker(engine, 'inspect', '--format', '{{.Os}}', name)).toBe('wasip1\n');
  });

  it('runs an artifact that was put there by hand, and sends one that others could have made', async () => {
    const module = readFileSync(fixture('tool'));
    const put = async (path: string, bytes: Uint8Array | string, type: string): Promise<number> =>
      (
        await fetch(`http://${registry.host}/v2/artifact/${path}`, {
          method: 'PUT',
          body: new Uint8Array(Buffer.from(bytes as Uint8Array)),
          headers: { 'content-type': type },
        })
      ).status;
    const blob = async (bytes: Uint8Array | string) => {
      const begun = await fetch(`http://${registry.host}/v2/artifact/blobs/uploads/`, { method: 'POST' });
      const at = new URL(begun.headers.get('location') ?? '');
      at.searchParams.set('digest', sha256(bytes));
      const { status } = await fetch(at, {
        method: 'PUT',
        body: new Uint8Array(Buffer.from(bytes as Uint8Array)),
        headers: { 'content-type': 'application/octet-stream' },
      });
      expect(status).toBe(201);
      return { digest: sha256(bytes), size: Buffer.byteLength(bytes as Uint8Array) };
    };
    const layer = { mediaType: 'application/wasm', ...(await blob(module)) };
    const config = JSON.stringify({
      created: '2026-01-01T00:00:00Z',
      architecture: 'wasm',
      os: 'wasip1',
      layerDigests: [layer.digest],
    });
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.wasm.config.v0+json', ...(await blob(config)) },
      layers: [layer],
    };
    expect(await put('manifests/1', JSON.stringify(manifest), manifest.mediaType)).toBe(201);

    const name = `${registry.host}/artifact:1`;
    expect((await engine.docker(['run', '--rm', name, 'exit', '9'])).code).toBe(9);
    expect(
      await docker(engine, 'inspect', '--format', '{{.Os}}/{{.Architecture}} {{join .Config.Entrypoint " "}}', name),
    ).toBe('wasip1/wasm /artifact.wasm\n');

    const window = await openWindow(engine.url);
    try {
      const copy = `${registry.host}/sent-artifact:1`;
      await docker(engine, 'tag', tool, copy);
      await window.client.registries.setPushFormat({ reference: copy, format: 'artifact' });
      await docker(engine, 'push', copy);
    } finally {
      window.close();
    }
    const sent = JSON.parse(
      await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/sent-artifact:1`),
    ) as typeof manifest;
    expect(sent.config.mediaType).toBe('application/vnd.wasm.config.v0+json');
    expect(sent.layers).toMatchObject([layer]);
  });

  it('builds on an image that is only there', async () => {
    await forget(engine);
    const child = buildContext({ Dockerfile: `FROM ${tool}\nCMD ["exit", "4"]\n` });
    try {
      const built = await docker(engine, 'build', '-t', 'child', child);
      expect(built).toContain('Pulling from tool');
      expect(built).toContain('Successfully tagged child:latest');
      expect((await engine.docker(['run', '--rm', 'child'])).code).toBe(4);
    } finally {
      removeDirectory(child);
    }
    const missing = buildContext({ Dockerfile: `FROM ${registry.host}/nothing:1\n` });
    const failed = await engine.docker(['build', missing]);
    removeDirectory(missing);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(
      `cannot pull ${registry.host}/nothing:1, which is not here: manifest for ${registry.host}/nothing:1 not found`,
    );
  });

  it('says what is missing: a tag, a name, a registry', async () => {
    const pull = await engine.docker(['pull', `${registry.host}/tool:nope`]);
    expect(pull.code).toBe(1);
    expect(pull.stderr).toContain(
      `manifest for ${registry.host}/tool:nope not found: manifest unknown: manifest unknown`,
    );
    expect(
      (
        await api(
          engine.dockerHost,
          'POST',
          `/images/create?fromImage=${encodeURIComponent(`${registry.host}/tool`)}&tag=nope`,
        )
      ).status,
    ).toBe(404);
    const run = await engine.docker(['run', '--rm', `${registry.host}/nothing`]);
    expect(run.code).toBe(125);
    expect((await engine.docker(['pull', '127.0.0.1:1/x'])).stderr).toContain('nothing listens at 127.0.0.1:1');
    const push = await engine.docker(['push', `${registry.host}/never-built`]);
    expect(push.code).toBe(1);
    expect(push.stderr).toMatch(/does not exist/);
  });

  it('answers the questions of compose and buildx about names', async () => {
    const answer = await api(engine.dockerHost, 'GET', `/distribution/${tool}/json`);
    expect(answer.json()).toMatchObject({
      Descriptor: { mediaType: 'application/vnd.oci.image.manifest.v1+json' },
      Platforms: [{ os: 'wasi', architecture: 'wasm' }],
    });
    expect((await api(engine.dockerHost, 'GET', `/distribution/${registry.host}/tool:nope/json`)).status).toBe(404);
  });

  it('pulls every tag with -a', async () => {
    await docker(engine, 'pull', tool);
    for (const tag of ['2', '3']) await docker(engine, 'tag', tool, `${registry.host}/tool:${tag}`);
    await docker(engine, 'push', '-a', `${registry.host}/tool`);
    await forget(engine);
    await docker(engine, 'pull', '-a', `${registry.host}/tool`);
    const tags = await docker(engine, 'images', '--format', '{{.Tag}}', `${registry.host}/tool`);
    expect(tags.trim().split('\n').sort()).toEqual(['1', '2', '3']);
  });
});

describe.skipIf(!hasDocker() || !hasRegistryTools())('a registry with log-in and TLS', () => {
  const name = 'registry.test';
  let registry: TestRegistry;
  let proxy: TestProxy;
  let engine: TestEngine;
  let context: string;
  let image: string;
  let host: string;

  const configure = (registries: object): void =>
    writeFileSync(join(engine.home, 'config.json'), JSON.stringify({ registries }));

  beforeAll(async () => {
    registry = await startRegistry({ login: true, tls: [name] });
    // The name leads nowhere but through the proxy, as in many companies.
    proxy = await startProxy(registry.port);
    engine = await startEngine();
    configure({ caFile: registry.caFile, httpsProxy: proxy.url });
    host = `${name}:${registry.port}`;
    image = `${host}/team/tool:1`;
    context = toolContext({ 'random.bin': randomBytes(12_000_000) });
    await docker(engine, 'build', '-q', '-t', image, context);
  });
  afterAll(async () => {
    await engine?.stop();
    await proxy?.stop();
    await registry?.stop();
    if (context) removeDirectory(context);
  });

  const login = (password: string) =>
    engine.docker(['login', '-u', person.username, '--password-stdin', host], { input: password });

  it('refuses a wrong password and nobody, takes the right one', async () => {
    const wrong = await login('wrong');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(
      /login attempt to https:\/\/registry\.test:\d+\/v2\/ failed with status: 401 Unauthorized/,
    );
    const nobody = await engine.docker(['push', image]);
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain(`docker login ${host}`);
    const right = await login(person.password);
    expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
    await docker(engine, 'push', image);
    await forget(engine);
    expect((await engine.docker(['run', '--rm', image, 'exit', '3'])).code).toBe(3);
    const stranger = mkdtempSync(join(tmpdir(), 'drydock-stranger-'));
    const refused = await engine.docker(['pull', image], { env: { DOCKER_CONFIG: stranger } });
    rmSync(stranger, { recursive: true });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('pull access denied for registry.test');
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${host}`]));
  });

  it('builds on an image behind a log-in', async () => {
    await forget(engine);
    const child = buildContext({ Dockerfile: `FROM ${image}\nCMD ["exit", "5"]\n` });
    await docker(engine, 'build', '-q', '-t', 'child', child);
    removeDirectory(child);
    expect((await engine.docker(['run', '--rm', 'child'])).code).toBe(5);
  });

  it('goes on where a connection was cut in the middle of a layer', async () => {
    await forget(engine);
    await docker(engine, 'rmi', '-f', 'child').catch(() => undefined);
    // Idle connections of before would not be cut.
    await engine.restart();
    proxy.cuts.push(1_000_000, 700_000);
    const pulled = await docker(engine, 'pull', image);
    expect(proxy.cuts).toEqual([]);
    expect(pulled).toContain(`Downloaded newer image for ${image}`);
    expect((await engine.docker(['run', '--rm', image, 'exit', '6'])).code).toBe(6);
  });

  it('is trusted only with its authority; the error says what to do', async () => {
    configure({ httpsProxy: proxy.url });
    const untrusted = await engine.docker(['pull', image]);
    expect(untrusted.code).toBe(1);
    expect(untrusted.stderr).toContain(`the certificate of ${host} is not signed by an authority that is trusted here`);
    expect(untrusted.stderr).toContain('in the settings');
    configure({ httpsProxy: proxy.url, insecure: [host] });
    await docker(engine, 'pull', image);
    configure({ httpsProxy: proxy.url, caFile: '/nonexistent/ca.pem' });
    expect((await engine.docker(['pull', image])).stderr).toContain('the CA file /nonexistent/ca.pem cannot be read');
    configure({ caFile: registry.caFile, httpsProxy: proxy.url });
    // On loopback, as docker has it, without any setting.
    await engine.docker(['login', '-u', person.username, '--password-stdin', registry.host], {
      input: person.password,
    });
    await docker(engine, 'pull', `${registry.host}/team/tool:1`);
  });

  it('is used by the window in the name of who logged in there', async () => {
    await forget(engine);
    const window = await openWindow(engine.url);
    const { registries } = window.client;
    try {
      await expect(registries.login({ server: host, username: 'anna', password: 'wrong' })).rejects.toThrow(
        '401 Unauthorized',
      );
      await expect(
        (async () => {
          for await (const _ of await registries.pull({ reference: image }));
        })(),
      ).rejects.toThrow('pull access denied');
      expect(await registries.login({ server: `https://${host}/`, ...person })).toEqual({
        server: host,
        username: 'anna',
        keptBy: 'drydock',
      });
      expect(await registries.accounts()).toContainEqual({ server: host, username: 'anna', keptBy: 'drydock' });
      const messages: TransferMessage[] = [];
      for await (const message of await registries.pull({ reference: image })) messages.push(message);
      expect(messages[0]).toEqual({ type: 'begin', repository: 'team/tool' });
      expect(messages.at(-1)).toMatchObject({ type: 'done', reference: image, isNew: true });
      expect(await registries.tags({ repository: `${host}/team/tool` })).toEqual(['1']);
      const copy = `${host}/team/copy:1`;
      await window.client.images.tag({ id: image, reference: copy });
      const sent: TransferMessage[] = [];
      for await (const message of await registries.push({ reference: copy })) sent.push(message);
      expect(sent).toContainEqual(expect.objectContaining({ type: 'layer', state: 'mounted' }));
      expect(sent.at(-1)).toMatchObject({ type: 'done', reference: copy });
      await registries.logout({ server: host });
      await expect(registries.logout({ server: host })).rejects.toThrow('not logged in');
    } finally {
      window.close();
    }
  });
});
