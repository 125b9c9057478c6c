import type { Stat, StatsMessage } from '../contract/containers.ts';
import type { EngineApi, Stats } from '../engine/api/index.ts';
import { sleep } from './signal.ts';

/** A sample as the window shows it: CPU in per cent of one core over the time between two readings. */
export function statOf({ id, current, previous }: Stats): Stat {
  const used = current.cpuUser + current.cpuSystem - (previous ? previous.cpuUser + previous.cpuSystem : 0);
  const elapsed = previous ? (Date.parse(current.read) - Date.parse(previous.read)) * 1e6 : 0;
  return {
    id,
    cpu: elapsed > 0 ? Math.max(0, (used / elapsed) * 100) : 0,
    memory: current.memory,
    memoryLimit: current.memoryLimit,
    threads: current.threads,
    ...(current.throttling ? { throttled: throttledShare(current.throttling, previous?.throttling) } : {}),
    readBytes: current.readBytes,
    writtenBytes: current.writtenBytes,
    receivedBytes: current.receivedBytes,
    sentBytes: current.sentBytes,
  };
}

type Throttling = NonNullable<Stats['current']['throttling']>;

function throttledShare(
  now: Throttling,
  before: Throttling = { periods: 0, throttledPeriods: 0, throttledTime: 0 },
): number {
  const periods = now.periods - before.periods;
  return periods > 0 ? Math.min(1, Math.max(0, now.throttledPeriods - before.throttledPeriods) / periods) : 0;
}

/** One container's sampling, shared by all who watch it. */
interface Sampler {
  readonly id: string;
  watchers: number;
  loop: AbortController | undefined;
  /** Resolves with the first figure of the present loop, or its end. */
  first: PromiseWithResolvers<void>;
  latest: Stat | undefined;
}

/** containers.stats: one engine sampling loop a container however many watch; nothing runs when nobody does. */
export class StatsHub {
  readonly #engine: EngineApi;
  readonly #samplers = new Map<string, Sampler>();

  constructor(engine: EngineApi) {
    this.#engine = engine;
  }

  /** Containers that are being sampled. */
  get sampling(): number {
    return [...this.#samplers.values()].filter((sampler) => sampler.loop).length;
  }

  /** A message a second with the named containers that run; ids of containers that are gone are passed over. */
  async *watch(refs: readonly string[], signal: AbortSignal | undefined): AsyncGenerator<StatsMessage, void> {
    const ids = new Set(refs.flatMap((ref) => this.#resolve(ref) ?? []));
    const samplers = [...ids].map((id) => this.#acquire(id));
    try {
      for (let first = true; !signal?.aborted; first = false) {
        const started = samplers.filter((sampler) => this.#ensure(sampler));
        if (first) await this.#firstSamples(started, signal);
        else await sleep(1000, signal);
        if (signal?.aborted) return;
        yield { at: Date.now(), samples: samplers.flatMap((sampler) => sampler.latest ?? []) };
      }
    } finally {
      for (const sampler of samplers) this.#release(sampler);
    }
  }

  /** Waits for a first figure of each, a second at most: a chart that opens should not open empty. */
  async #firstSamples(samplers: readonly Sampler[], signal: AbortSignal | undefined): Promise<void> {
    const enough = new AbortController();
    const second = sleep(1000, AbortSignal.any([enough.signal, ...(signal ? [signal] : [])]));
    await Promise.race([Promise.all(samplers.map((sampler) => sampler.first.promise)), second]);
    enough.abort();
  }

  #resolve(ref: string): string | undefined {
    try {
      return this.#engine.containers.get(ref).id;
    } catch {
      return undefined;
    }
  }

  #acquire(id: string): Sampler {
    let sampler = this.#samplers.get(id);
    if (!sampler) {
      sampler = { id, watchers: 0, loop: undefined, first: Promise.withResolvers(), latest: undefined };
      this.#samplers.set(id, sampler);
    }
    sampler.watchers++;
    return sampler;
  }

  #release(sampler: Sampler): void {
    if (--sampler.watchers > 0) return;
    sampler.loop?.abort();
    this.#samplers.delete(sampler.id);
  }

  /** Sees to it that a running container is sampled. True when it is. */
  #ensure(sampler: Sampler): boolean {
    if (sampler.loop) return true;
    try {
      const { state } = this.#engine.containers.get(sampler.id);
      if (state !== 'running' && state !== 'paused') return false;
    } catch {
      return false;
    }
    void this.#run(sampler);
    return true;
  }

  async #run(sampler: Sampler): Promise<void> {
    const loop = new AbortController();
    sampler.loop = loop;
    try {
      for await (const stats of this.#engine.containers.stats(sampler.id, { stream: true }, loop.signal)) {
        if (!stats.running || loop.signal.aborted) break;
        sampler.latest = statOf(stats);
        sampler.first.resolve();
      }
    } catch {
      // It ended between two readings; when it runs again, the next tick starts a new loop.
    } finally {
      sampler.loop = undefined;
      sampler.latest = undefined;
      sampler.first.resolve();
      sampler.first = Promise.withResolvers();
    }
  }
}
