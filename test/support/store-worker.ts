/**
 * Works on a store of images without a pause, in two lanes side by side, and says each operation when it begins and when it is acknowledged: for the test that kills it.
 * Arguments: HOME, the registry's host, an archive of images to load, a seed.
 */
import { createReadStream, writeSync } from 'node:fs';
import { openImages } from '../../electron/engine/images/images.ts';
import { buildOptions, collect, contextOf, smallestModule, streamOf } from '../../electron/engine/images/testing.ts';
import { openRegistries } from '../../electron/engine/registry/registry.ts';
import { seeded } from './random.ts';

/** What one operation may do to names. Written at once: what was read by the other side was true before the kill. */
export type StoreLine =
  | { readonly ready: true }
  | { readonly begin: string; readonly touch: readonly string[] }
  | {
      readonly done: string;
      readonly touch: readonly string[];
      readonly set?: Readonly<Record<string, string>>;
      readonly unset?: readonly string[];
    };

const say = (line: StoreLine): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const [, , home = '', host = '', archive = '', seed = '1'] = process.argv;
const registries = openRegistries({ version: 'test', credentials: '/nonexistent/logins.json' });
const images = await openImages({ home, emit: () => undefined, usedBy: () => [], registries });
const next = seeded(Number(seed));
const none = new Map<string, readonly string[]>();
let count = 0;

const tags = (prefix: RegExp): string[] =>
  images.list({ all: false, filters: none }).flatMap(({ repoTags }) => repoTags.filter((name) => prefix.test(name)));

async function doing(what: string, touch: readonly string[], work: () => Promise<Record<string, string> | undefined>) {
  say({ begin: what, touch });
  const set = await work();
  say(set ? { done: what, touch, set } : { done: what, touch, unset: touch });
}

const idOf = (name: string): Record<string, string> => ({ [name]: images.get(name).id });

const build = async (lane: string, label: string): Promise<void> => {
  const name = `${lane}-built-${next(6)}:1`;
  const f = `${process.pid} ${++count} `.repeat(1 + next(100_000));
  await doing('build', [name], async () => {
    const context = await contextOf({
      Dockerfile: `FROM scratch\nCOPY m.wasm /m.wasm\nCOPY f /f\nLABEL kind=${label}\n`,
      'm.wasm': smallestModule,
      f,
    });
    const { id } = await collect(images.build({ ...buildOptions, tags: [name] }, streamOf(context, 65_536)));
    if (next(2) === 0) await images.snapshot(id);
    return idOf(name);
  });
};
const remove = async (own: RegExp): Promise<void> => {
  const names = tags(own);
  const name = names[next(names.length || 1)];
  if (name === undefined) return;
  await doing('remove', [name], async () => {
    await images.remove(name, { force: true, prune: true });
    return undefined;
  });
};

/** What comes from elsewhere. */
async function comings(): Promise<void> {
  for (;;) {
    switch (next(4)) {
      case 0:
      case 1: {
        const name = `${host}/p${next(4)}:1`;
        await doing('pull', [name], async () => {
          for await (const _ of images.pull(name, {}));
          return idOf(name);
        });
        break;
      }
      case 2:
        await doing('load', ['loaded-a:1', 'loaded-b:1'], async () => {
          for await (const _ of images.load(createReadStream(archive)));
          return { ...idOf('loaded-a:1'), ...idOf('loaded-b:1') };
        });
        break;
      default:
        await remove(/^(127|loaded)/);
    }
  }
}

/** What is made here. */
async function makings(): Promise<void> {
  for (;;) {
    switch (next(8)) {
      case 0:
      case 1:
        await build('kept', 'kept');
        break;
      case 2: {
        const [from] = tags(/^kept/);
        const name = `kept-tag-${next(5)}:1`;
        if (from === undefined) break;
        await doing('tag', [name], async () => {
          await images.tag(from, name);
          return idOf(name);
        });
        break;
      }
      case 3:
        await remove(/^kept/);
        break;
      case 4:
        await build('pruned', 'pruned');
        break;
      case 5:
        await doing('prune', tags(/^pruned/), async () => {
          await images.prune(
            new Map([
              ['dangling', ['false']],
              ['label', ['kind=pruned']],
            ]),
          );
          return undefined;
        });
        break;
      case 6:
        await doing('prune dangling', [], async () => {
          await images.prune(none);
          await images.pruneBuildCache({ all: next(2) === 0, keep: 0, filters: none });
          return {};
        });
        break;
      default: {
        const [name] = tags(/^kept/);
        if (name === undefined) break;
        await doing('save', [], async () => {
          for await (const _ of images.save([name]));
          return {};
        });
      }
    }
  }
}

say({ ready: true });
await Promise.all([comings(), makings()]);
