/** A store of images at work in this process: load and save of a 500 MB image, a check of it, a build whose steps are all cached, and how long others wait meanwhile. */
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { buildOptions, collect, contextOf, openTestImages, streamOf } from '../../electron/engine/images/testing.ts';
import { median, times, type Row } from './table.ts';

const megabyte = 1e6;
const size = 500 * megabyte;
const rounds = 3;
/** Of a request's body. */
const chunk = 64 * 1024;

/** MB/s of what the work moves. */
async function rate(work: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const bytes = await work();
  return bytes / megabyte / ((performance.now() - started) / 1000);
}

async function largeContext(): Promise<AsyncIterable<Uint8Array>> {
  return streamOf(await contextOf({ Dockerfile: 'FROM scratch\nCOPY data /data\n', data: randomBytes(size) }), chunk);
}

/** As a socket gives them; what the client does to read its file is not the engine's. */
async function* pieces(archive: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of archive) yield* streamOf(piece, chunk);
}

export default async function bench(): Promise<Row[]> {
  const store = await openTestImages();
  try {
    await collect(store.images.build({ ...buildOptions, tags: ['large'] }, await largeContext()));
    const archive = await Array.fromAsync(store.images.save(['large']));

    const saves: number[] = [];
    const loads: number[] = [];
    const checks: number[] = [];
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    for (let round = 0; round < rounds; round++) {
      saves.push(
        await rate(async () => {
          let bytes = 0;
          for await (const piece of store.images.save(['large'])) bytes += piece.length;
          return bytes;
        }),
      );
      await store.images.remove('large', { force: true, prune: true });
      loads.push(
        await rate(async () => {
          for await (const _ of store.images.load(pieces(archive)));
          return size;
        }),
      );
      checks.push(
        await rate(async () => {
          let total = 0;
          for await (const event of store.images.check()) if (event.type === 'done') ({ total } = event);
          return total;
        }),
      );
    }
    delay.disable();

    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`src/${at}.c`, `int f${at}(void);\n`.repeat(50)]),
    );
    const small = await contextOf({
      ...files,
      Dockerfile: `FROM scratch\n${Array.from({ length: 10 }, (_, at) => `ENV A${at}=1`).join('\n')}\nCOPY src /src\nCMD ["x"]\n`,
    });
    const build = () => collect(store.images.build({ ...buildOptions, tags: ['cached'] }, streamOf(small, chunk)));
    await build();
    const cached: number[] = [];
    for (let round = 0; round < 30; round++) {
      const started = performance.now();
      await build();
      cached.push(performance.now() - started);
    }
    return [
      { what: 'load of 500 MB, plain', p50: median(loads), n: rounds, unit: 'MB/s', goal: '≥400' },
      { what: 'save of 500 MB, plain', p50: median(saves), n: rounds, unit: 'MB/s', goal: '≥400' },
      { what: 'check of it', p50: median(checks), n: rounds, unit: 'MB/s' },
      {
        what: 'others wait meanwhile',
        p50: delay.percentile(50) / 1e6,
        p99: delay.percentile(99) / 1e6,
        n: delay.count,
        unit: 'ms',
        goalP99: '≤50',
      },
      times('build, 12 steps and 200 files, all cached', cached, { goal: '≤50' }),
    ];
  } finally {
    await store.close();
  }
}
