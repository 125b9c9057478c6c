import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openImages, type Images } from '../../electron/engine/images/images.ts';
import { openTestImages, smallestModule, tarOf } from '../../electron/engine/images/testing.ts';
import { gzipped, ScriptedRegistry } from '../../electron/engine/registry/testing.ts';
import { seeded } from '../support/random.ts';
import type { StoreLine } from '../support/store-worker.ts';

/** `CRASH_ROUNDS=100` for more of them. */
const rounds = Number(process.env['CRASH_ROUNDS'] ?? 25);
/** The longest that a worker is left alone once it is ready, ms. */
const patience = 500;

let base: string;
let home: string;
let archive: string;
let registry: ScriptedRegistry;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'drydock-store-crash-'));
  home = join(base, 'home');
  registry = await ScriptedRegistry.start();
  const shared = gzipped(await tarOf([{ name: 'shared', content: randomBytes(1_500_000) }]));
  for (let i = 0; i < 4; i++) {
    const own = await tarOf([
      { name: 'm.wasm', content: smallestModule },
      { name: 'own', content: randomBytes(700_000) },
    ]);
    registry.put(`p${i}`, '1', [i % 2 === 0 ? { bytes: own } : gzipped(own), shared]);
  }
  archive = join(base, 'archive.tar');
  const other = await openTestImages();
  for (const name of ['a', 'b'])
    await other.build(
      { Dockerfile: 'FROM scratch\nCOPY f /\n', f: randomBytes(600_000) },
      { tags: [`loaded-${name}:1`] },
    );
  writeFileSync(archive, Buffer.concat(await Array.fromAsync(other.images.save(['loaded-a:1', 'loaded-b:1']))));
  await other.close();
});
afterAll(async () => {
  await registry?.close();
  if (base) rmSync(base, { recursive: true, force: true });
});

/** What was acknowledged, and the names that an operation without an answer was about. */
interface Model {
  readonly names: Map<string, string>;
  readonly unsure: Set<string>;
  /** How often each operation was answered, or cut off. */
  readonly answered: Map<string, number>;
  readonly cutOff: Map<string, number>;
}

const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

/** Lets a worker work and kills it `after` ms after it is ready. */
async function killed(model: Model, seed: number, after: number): Promise<void> {
  const script = fileURLToPath(import.meta.resolve('../support/store-worker.ts'));
  const worker = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, home, registry.host, archive, String(seed)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stderr = '';
  worker.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<NodeJS.Signals | null>((resolve) => worker.once('close', (_, signal) => resolve(signal)));
  const running = new Map<string, readonly string[]>();
  for await (const text of createInterface({ input: worker.stdout })) {
    const line = JSON.parse(text) as StoreLine;
    if ('ready' in line) setTimeout(() => worker.kill('SIGKILL'), after);
    else if ('begin' in line) {
      running.set(line.begin, line.touch);
      for (const name of line.touch) model.unsure.add(name);
    } else {
      running.delete(line.done);
      add(model.answered, line.done);
      for (const name of line.touch) model.unsure.delete(name);
      for (const [name, id] of Object.entries(line.set ?? {})) model.names.set(name, id);
      for (const name of line.unset ?? []) model.names.delete(name);
    }
  }
  expect(await ended, stderr).toBe('SIGKILL');
  for (const what of running.keys()) add(model.cutOff, what);
}

/** The names of the store, with their images. */
const namesOf = (images: Images): Map<string, string> =>
  new Map(
    images.list({ all: false, filters: new Map() }).flatMap(({ id, repoTags }) => repoTags.map((name) => [name, id])),
  );

test(
  `kill -9 at any moment: the store opens, verifies and has what was acknowledged, ${rounds} times`,
  { timeout: 600_000 },
  async () => {
    const model: Model = { names: new Map(), unsure: new Set(), answered: new Map(), cutOff: new Map() };
    const next = seeded(4711);
    for (let round = 0; round < rounds; round++) {
      const when = `round ${round}`;
      await killed(model, round * 7919 + 1, next(patience));
      const notes: string[] = [];
      const images = await openImages({
        home,
        emit: () => undefined,
        usedBy: () => [],
        note: (line) => notes.push(line),
      });
      expect(notes, when).toEqual([]);
      expect(readdirSync(join(home, 'tmp/images')), when).toEqual([]);
      for await (const event of images.check()) {
        if (event.type === 'finding') expect(event.finding, when).toBeUndefined();
        // Nothing is there that no image needs.
        else if (event.type === 'done') expect(event.blobs, when).toBe(referenced().size);
      }
      const found = namesOf(images);
      for (const [name, id] of model.names)
        if (!model.unsure.has(name)) expect(found.get(name), `${when}: ${name}`).toBe(id);
      for (const name of found.keys())
        if (!model.unsure.has(name)) expect(model.names.has(name), `${when}: ${name} was removed`).toBe(true);
      for (const name of [...found.keys()].slice(0, 2)) await images.snapshot(name);
      await images.close();
      model.names.clear();
      for (const [name, id] of found) model.names.set(name, id);
      model.unsure.clear();
    }
    if (process.env['CRASH_ROUNDS']) console.log('answered', model.answered, 'cut off', model.cutOff);
    // Each kind of work was under way when the end came, in enough rounds.
    if (rounds >= 25)
      expect([...model.answered.keys()]).toEqual(expect.arrayContaining(['pull', 'load', 'build', 'remove']));
  },
);

/** Every blob that index.json leads to. */
function referenced(): Set<string> {
  const blobs = join(home, 'content/blobs/sha256');
  const read = (digest: string): unknown => JSON.parse(readFileSync(join(blobs, digest.slice(7)), 'utf8'));
  const index = JSON.parse(readIndex()) as { manifests: { digest: string }[] };
  const all = new Set<string>();
  for (const { digest } of index.manifests) {
    const manifest = read(digest) as { config: { digest: string }; layers: { digest: string }[] };
    for (const each of [{ digest }, manifest.config, ...manifest.layers]) all.add(each.digest);
  }
  return all;
}

function readIndex(): string {
  try {
    return readFileSync(join(home, 'content/index.json'), 'utf8');
  } catch (error) {
    // Killed before the first image.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{"manifests":[]}';
    throw error;
  }
}
