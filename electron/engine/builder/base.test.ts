/** FROM and --from of images in registries, ADD of the web: each answered by a server of the test's own. */
import { readFileSync, statSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noRegistrySettings } from '../../platform/registry-settings.ts';
import type { BuildEvent } from '../api/images.ts';
import { buildOptions, contextOf, openTestImages, streamOf, tarOf, type TestImages } from '../images/testing.ts';
import { openRegistries, type Registries } from '../registry/registry.ts';
import { countedSleep, ScriptedRegistry, sha256 } from '../registry/testing.ts';
import { createTransport, type Transport } from '../registry/transport.ts';

let registry: ScriptedRegistry;
let registries: Registries;
let transport: Transport;
let test: TestImages;
let web: Server;
let answer: RequestListener;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  registries = openRegistries({
    version: 'test',
    settings: () => noRegistrySettings,
    credentials: '/nonexistent/logins.json',
    docker: { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    sleep: countedSleep().sleep,
  });
  transport = createTransport(() => noRegistrySettings);
  test = await openTestImages({ registries, transport });
  web = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  registries.close();
  transport.close();
  web.closeAllConnections();
  web.close();
  await test.close();
  await registry.close();
});

const put = async (tag: string, content: string, config = {}) =>
  registry.put('base', tag, [{ bytes: await tarOf([{ name: 'version', content }]) }], { config });
const rootOf = (ref: string) => test.images.snapshot(test.images.get(ref).id);
const build = (dockerfile: string, options = {}) => test.build({ Dockerfile: dockerfile }, { tags: ['t'], ...options });
const address = () => `http://127.0.0.1:${(web.address() as AddressInfo).port}`;

describe('a base image', () => {
  const asked = () => registry.asked.filter((line) => line.includes('/manifests/')).length;

  it('is fetched when it is not here, and with --pull again', async () => {
    await put('1', 'old');
    const from = `FROM ${registry.host}/base:1\nENV A=1`;
    const events: BuildEvent[] = [];
    const context = streamOf(await contextOf({ Dockerfile: from }));
    for await (const event of test.images.build({ ...buildOptions, tags: ['t'] }, context)) events.push(event);
    expect(events.filter((event) => event.type === 'pull').at(-1)).toMatchObject({ event: { type: 'done' } });
    expect(events.find((event) => event.type === 'step' && event.milliseconds !== undefined)).toMatchObject({
      index: 1,
      cached: false,
    });
    const before = asked();
    await build(from);
    expect(asked()).toBe(before);
    await put('1', 'new');
    await build(from);
    expect(readFileSync(join(await rootOf('t'), 'version'), 'utf8')).toBe('old');
    await build(from, { pull: true });
    expect(readFileSync(join(await rootOf('t'), 'version'), 'utf8')).toBe('new');
  });

  it('that cannot be fetched anew fails with --pull, though it is here', async () => {
    await put('1', 'old');
    const from = `FROM ${registry.host}/base:1\nENV A=1`;
    await build(from);
    registry.manifests.clear();
    await build(from);
    await expect(build(from, { pull: true })).rejects.toThrow(`cannot pull ${registry.host}/base:1: `);
    await expect(build(`FROM ${registry.host}/nope\nENV A=1`)).rejects.toThrow(
      `cannot pull ${registry.host}/nope, which is not here: `,
    );
  });

  it('is fetched for the platform of its FROM', async () => {
    await put('1', 'x', { os: 'linux', architecture: 'arm64' });
    await build(`FROM --platform=linux/arm64 ${registry.host}/base:1\nENV A=1`);
    expect(test.images.get('t')).toMatchObject({ os: 'linux', architecture: 'arm64' });
  });

  it('is told as it comes also for --from', async () => {
    await put('1', 'x');
    const source = `FROM scratch\nCOPY --from=${registry.host}/base:1 /version /v`;
    const events: BuildEvent[] = [];
    const context = streamOf(await contextOf({ Dockerfile: source }));
    for await (const event of test.images.build({ ...buildOptions, tags: ['t'] }, context)) events.push(event);
    expect(events.some((event) => event.type === 'pull')).toBe(true);
    expect(readFileSync(join(await rootOf('t'), 'v'), 'utf8')).toBe('x');
  });
});

describe('ADD of the web', () => {
  const bytes = Buffer.from('what is there');

  it('keeps the name of the address, or that of the destination; archives are not unpacked', async () => {
    const tar = await tarOf([{ name: 'inner', content: 'x' }]);
    answer = ({ url }, response) => {
      if (url === '/moved') response.writeHead(302, { Location: '/dir/file%20one?x=1' }).end();
      else
        response
          .writeHead(200, { 'Last-Modified': 'Tue, 03 Mar 2020 10:00:00 GMT' })
          .end(url === '/a.tar' ? tar : bytes);
    };
    const places = ['dir/file%20one?x=1 /x/', 'moved /name', `a.tar ${address()}/b /y/`];
    await build(['FROM scratch', ...places.map((place) => `ADD ${address()}/${place}`)].join('\n'));
    const root = await rootOf('t');
    for (const name of ['x/file one', 'name', 'y/b']) expect(readFileSync(join(root, name))).toEqual(bytes);
    expect(readFileSync(join(root, 'y/a.tar'))).toEqual(tar);
    expect(statSync(join(root, 'name')).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, 'name')).mtime).toEqual(new Date('2020-03-03T10:00:00Z'));
    expect(test.images.history('t').at(-1)?.createdBy).toBe(`ADD ${address()}/dir/file%20one?x=1 /x/`);
  });

  it('counts in the cache by what comes', async () => {
    let content = 'one';
    answer = (_, response) => void response.end(content);
    const source = `FROM scratch\nADD ${address()}/f /f`;
    await build(source);
    expect((await build(source)).text).toContain('Using cache');
    content = 'two';
    expect((await build(source)).text).not.toContain('Using cache');
    expect(readFileSync(join(await rootOf('t'), 'f'), 'utf8')).toBe('two');
  });

  it('is compared with --checksum', async () => {
    answer = (_, response) => void response.end(bytes);
    await build(`FROM scratch\nADD --checksum=${sha256(bytes)} ${address()}/f /f`);
    const other = sha256('other');
    await expect(build(`FROM scratch\nADD --checksum=${other} ${address()}/f /f`)).rejects.toMatchObject({
      kind: 'damaged',
      message: `ADD failed: ${address()}/f has not the checksum that the Dockerfile names`,
      data: { expected: other, received: sha256(bytes) },
    });
    await expect(build(`FROM scratch\nADD --checksum=sha256:x ${address()}/f /f`)).rejects.toThrow('invalid checksum');
    await expect(build(`FROM scratch\nADD --checksum=${other} Dockerfile /f`)).rejects.toThrow(
      '--checksum is for what is downloaded, not for Dockerfile',
    );
  });

  it('fails by name when it is not there, ends early, leads elsewhere or nowhere', async () => {
    const add = (path: string, to = '/f') => build(`FROM scratch\nADD ${address()}${path} ${to}`);
    answer = ({ url }, response) => {
      if (url === '/404') response.writeHead(404).end('no');
      else if (url === '/loop') response.writeHead(301, { Location: '/loop' }).end();
      else if (url === '/file') response.writeHead(301, { Location: 'file:///etc/hostname' }).end();
      else if (url === '/cut')
        response.writeHead(200, { 'Content-Length': '100' }).write('x', () => response.destroy());
      else response.end();
    };
    await expect(add('/404')).rejects.toThrow(`ADD failed: ${address()}/404: the server answered 404`);
    await expect(add('/loop')).rejects.toThrow('redirects in circles');
    await expect(add('/file')).rejects.toThrow('is not an address of the web');
    await expect(add('/cut')).rejects.toThrow(`ADD failed: ${address()}/cut: `);
    await expect(add('/', '/dir/')).rejects.toThrow('cannot determine filename');
    await expect(build('FROM scratch\nADD http://127.0.0.1:1/x /')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('ends when the build is cancelled', async () => {
    const abort = new AbortController();
    answer = (_, response) => void response.writeHead(200).write('x', () => abort.abort());
    const context = streamOf(await contextOf({ Dockerfile: `FROM scratch\nADD ${address()}/f /f` }));
    const run = async () => {
      for await (const _ of test.images.build(buildOptions, context, abort.signal));
    };
    await expect(run()).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
