/** `docker stats`: one reading a second of each container that anybody looks at, shared by all who do. */
import { nowNano } from '../../base/clock.ts';
import { formatTime } from '../../base/log-format.ts';
import { systemCpuNano } from '../../platform/host-info.ts';
import { totalmem } from 'node:os';
import type { Run } from '../../supervisor/api.ts';
import type { RunUsage } from '../../supervisor/protocol.ts';
import type { Stats, StatsSample } from '../api/index.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { totalUsage } from './exec/container-execs.ts';

const interval = 1000;
/** A reading this young serves another reader as well. */
const fresh = 900;

const zero: RunUsage = {
  cpuUser: 0,
  cpuSystem: 0,
  memory: 0,
  memoryPeak: 0,
  threads: 0,
  readBytes: 0,
  writtenBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
};

interface Reading {
  readonly run: Run | undefined;
  readonly at: number;
  readonly sample: StatsSample;
}

/** The last reading of a container, and the one under way. */
interface Meter {
  last: Reading | undefined;
  pending: Promise<Reading> | undefined;
}

export class StatsMeters {
  readonly #meters = new WeakMap<Container, Meter>();

  /**
   * With `stream` a Stats a second until the container is removed or the signal aborts; without it a single one, that compares two
   * readings a second apart unless `oneShot`. Containers that do not run give zeros at once. @throws notFound at once
   */
  stats(
    context: Pick<Context, 'store'>,
    ref: string,
    options: { readonly stream: boolean; readonly oneShot?: boolean },
    signal?: AbortSignal,
  ): AsyncIterable<Stats> {
    return this.#read(context.store.find(ref), options, signal);
  }

  async *#read(
    container: Container,
    { stream, oneShot }: { readonly stream: boolean; readonly oneShot?: boolean },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Stats> {
    const gone = (): boolean => signal?.aborted === true || container.removing;
    let current = await this.#reading(container);
    if (!stream) {
      let previous: Reading | undefined;
      if (current.run && oneShot !== true) {
        await pause(interval, signal);
        previous = current;
        current = await this.#reading(container);
      }
      if (signal?.aborted !== true) yield statsOf(container, current, previous);
      return;
    }
    for (let previous: Reading | undefined; !gone();) {
      yield statsOf(container, current, previous);
      await pause(interval, signal);
      if (gone()) return;
      previous = current;
      current = await this.#reading(container);
    }
  }

  #reading(container: Container): Promise<Reading> {
    let meter = this.#meters.get(container);
    if (!meter) this.#meters.set(container, (meter = { last: undefined, pending: undefined }));
    const run = container.active?.run;
    const { last } = meter;
    if (last && last.run === run && performance.now() - last.at < fresh) return Promise.resolve(last);
    const known = meter;
    return (known.pending ??= measure(container, run)
      .then((reading) => {
        known.last = reading;
        return reading;
      })
      .finally(() => (known.pending = undefined)));
  }
}

async function measure(container: Container, run: Run | undefined): Promise<Reading> {
  const usage = run ? await usageOf(container, run) : zero;
  const { config } = container.record;
  const { total, cores } = systemCpuNano();
  return {
    run,
    at: performance.now(),
    sample: {
      read: formatTime(nowNano()),
      cpuUser: usage.cpuUser * 1000,
      cpuSystem: usage.cpuSystem * 1000,
      systemCpu: run ? total : 0,
      onlineCpus: run ? cores : 0,
      memory: usage.memory,
      memoryPeak: usage.memoryPeak,
      memoryLimit: run ? config.memory || totalmem() : 0,
      threads: usage.threads,
      ...(run && config.pidsLimit ? { threadLimit: config.pidsLimit } : {}),
      readBytes: usage.readBytes,
      writtenBytes: usage.writtenBytes,
      receivedBytes: usage.receivedBytes,
      sentBytes: usage.sentBytes,
      ...(run && config.nanoCpus > 0 ? { throttling: throttlingOf(run) } : {}),
    },
  };
}

/** With all that runs in it. */
async function usageOf({ execs }: Container, run: Run): Promise<RunUsage> {
  const others = execs.live().flatMap((exec) => exec.run ?? []);
  if (others.length === 0) return totalUsage(await run.usage(), [], execs.spent);
  const [own, ...rest] = await Promise.all([run, ...others].map((each) => each.usage()));
  // One that has ended meanwhile is in `spent` as well.
  const living = rest.filter((_, index) => execs.live().some((exec) => exec.run === others[index]));
  return totalUsage(own ?? zero, living, execs.spent);
}

function throttlingOf(run: Run): NonNullable<StatsSample['throttling']> {
  const { periods, throttledPeriods, throttledTime } = run.throttling;
  return { periods, throttledPeriods, throttledTime: Math.round(throttledTime * 1e6) };
}

/** A reading of another run says nothing about this one. */
const statsOf = (container: Container, current: Reading, previous: Reading | undefined): Stats => ({
  id: container.id,
  name: container.name,
  running: current.run !== undefined,
  current: current.sample,
  previous: previous?.run === current.run && current.run ? previous?.sample : undefined,
});

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal?.aborted) done();
    else signal?.addEventListener('abort', done);
  });
}
