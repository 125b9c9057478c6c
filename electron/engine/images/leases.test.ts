import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRegistries, type Registries } from '../registry/registry.ts';
import { countedSleep, gzipped, ScriptedRegistry } from '../registry/testing.ts';
import {
  buildOptions,
  collect,
  contextOf,
  openTestImages,
  smallestModule,
  streamOf,
  tarOf,
  type TestImages,
} from './testing.ts';

let registry: ScriptedRegistry;
let registries: Registries;
let t: TestImages;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  registries = openRegistries({
    version: 'test',
    credentials: '/nonexistent/logins.json',
    docker: { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
    sleep: countedSleep().sleep,
  });
  t = await openTestImages({ registries });
});
afterEach(async () => {
  registries.close();
  await t.close();
  await registry.close();
});

const everything = new Map([['dangling', ['false']]]);
/** All that could take something away. */
async function collectGarbage(): Promise<void> {
  await t.images.prune(everything);
  await t.images.prune(new Map());
  await t.images.pruneBuildCache({ all: true, keep: 0, filters: new Map() });
  await t.images.sweep();
}
const verified = async (): Promise<void> => {
  for await (const event of t.images.check()) expect(event.type).not.toBe('finding');
};

test('a pull in progress is never collected, not what it has nor what it found here', async () => {
  const shared = { bytes: await tarOf([{ name: 'shared', content: randomBytes(50_000) }]) };
  const own = gzipped(await tarOf([{ name: 'm.wasm', content: smallestModule }]));
  registry.put('first', '1', [shared]);
  const slow = registry.put('app', '1', [shared, own]);
  for await (const _ of t.images.pull(`${registry.host}/first:1`, {}));

  // The last blob waits until everything else has happened.
  const asked = Promise.withResolvers<() => void>();
  registry.script = (request: IncomingMessage, response: ServerResponse) => {
    const digest = request.url?.split('/blobs/')[1];
    const bytes = digest === undefined ? undefined : registry.blobs.get(digest);
    if (request.method !== 'GET' || !bytes || !bytes.equals(own.bytes)) return false;
    asked.resolve(() => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.end(bytes);
    });
    return true;
  };
  const pulled = Array.fromAsync(t.images.pull(`${registry.host}/app:1`, {}));
  const answer = await asked.promise;
  await collectGarbage();
  await t.images.remove(`${registry.host}/first:1`, { force: true, prune: true }).catch(() => undefined);
  await collectGarbage();
  // Only what the pull needs is left: its manifest, its config, the layer that was here.
  expect(readdirSync(join(t.home, 'content/blobs/sha256')).length).toBeGreaterThanOrEqual(3);
  expect(t.images.list({ all: true, filters: new Map() })).toEqual([]);
  answer();
  const done = (await pulled).at(-1);
  expect(done).toMatchObject({ type: 'done', reference: `${registry.host}/app:1` });
  const image = t.images.get(`${registry.host}/app:1`);
  expect(image.repoDigests).toEqual([`${registry.host}/app@${slow.digest}`]);
  expect(readdirSync(await t.images.snapshot(image.id)).sort()).toEqual(['m.wasm', 'shared']);
  await verified();
});

test('pulls, loads and builds go on while everything is pruned again and again', async () => {
  for (let i = 0; i < 3; i++)
    registry.put(`p${i}`, '1', [
      gzipped(
        await tarOf([
          { name: 'm.wasm', content: smallestModule },
          { name: 'f', content: randomBytes(300_000) },
        ]),
      ),
    ]);
  await t.build({ Dockerfile: 'FROM scratch\nCOPY f /f\n', f: randomBytes(200_000) }, { tags: ['saved:1'] });
  const archive = Buffer.concat(await Array.fromAsync(t.images.save(['saved:1'])));
  let working = true;
  const garbage = (async () => {
    for (let count = 0; working; count++) {
      // Named ones are fair game once they have their name: only what has none is looked for.
      await t.images.prune(new Map());
      await t.images.pruneBuildCache({ all: count % 2 === 0, keep: 0, filters: new Map() });
      await t.images.sweep();
    }
  })();
  const build = async (name: string): Promise<void> => {
    const context = await contextOf({ Dockerfile: 'FROM scratch\nCOPY f /f\nENV A=1\nENV B=2\n', f: name });
    const { id } = await collect(t.images.build({ ...buildOptions, tags: [name] }, streamOf(context)));
    expect(t.images.get(name).id).toBe(id);
    expect(readdirSync(await t.images.snapshot(id))).toEqual(['f']);
  };
  for (let round = 0; round < 5; round++) {
    await Promise.all([
      ...[0, 1, 2].map((i) => Array.fromAsync(t.images.pull(`${registry.host}/p${i}:1`, {}))),
      Array.fromAsync(t.images.load(streamOf(archive, 65_536))),
      build('same'),
      build('same-too'),
      build(`own${round}`),
    ]);
    for (const name of ['saved:1', ...[0, 1, 2].map((i) => `${registry.host}/p${i}:1`)]) {
      await t.images.snapshot(t.images.get(name).id);
      await t.images.remove(name, { force: false, prune: true });
    }
  }
  working = false;
  await garbage;
  await verified();
});

test('an image that is just being made is not removed either', async () => {
  const context = await contextOf({ Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'x' });
  const { id } = await collect(t.images.build({ ...buildOptions, tags: ['t'] }, streamOf(context)));
  await t.images.tag('t', 'other');
  // The same build again, which has found the image in the cache when its text is read so far.
  const again = t.images.build({ ...buildOptions, tags: ['t'] }, streamOf(context))[Symbol.asyncIterator]();
  for (let step = await again.next(); !step.done; step = await again.next())
    if (step.value.type === 'stream' && step.value.text.includes('Using cache')) break;
  await t.images.remove('t', { force: false, prune: true });
  await t.images.remove('other', { force: false, prune: true });
  await t.images.prune(everything);
  await expect(t.images.remove(id, { force: true, prune: true })).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('just being pulled, loaded or built'),
  });
  while (!(await again.next()).done);
  expect(t.images.get('t').id).toBe(id);
});
