/** The execs of one container: those that live, those that were not started yet, and for a while those that have ended. */
import type { RunEnd } from '../../../supervisor/api.ts';
import type { RunUsage } from '../../../supervisor/protocol.ts';
import type { Exec } from './exec.ts';

/** Ended ones are kept this long in milliseconds, and this many at most; of those that nobody starts as many. */
const KEEP_FOR = 5 * 60_000;
const KEEP = 100;

/** What the ended execs of a run have used: figures of a container never go back. */
type Spent = Pick<RunUsage, 'cpuUser' | 'cpuSystem' | 'readBytes' | 'writtenBytes' | 'receivedBytes' | 'sentBytes'>;

const nothing: Spent = { cpuUser: 0, cpuSystem: 0, readBytes: 0, writtenBytes: 0, receivedBytes: 0, sentBytes: 0 };

export class ContainerExecs {
  readonly #all = new Map<string, Exec>();
  /** The container's run is over: nothing new begins until the next one. */
  closed = true;
  spent: Spent = nothing;

  /** The container's run begins. */
  open(): void {
    this.closed = false;
    this.spent = nothing;
  }

  add(exec: Exec, now: number): void {
    this.#all.set(exec.id, exec);
    this.#tidy(now);
  }

  delete(exec: Exec): void {
    this.#all.delete(exec.id);
  }

  get(id: string, now: number): Exec | undefined {
    const exec = this.#all.get(id);
    if (exec?.state !== 'ended' || now - exec.endedAt < KEEP_FOR) return exec;
    this.#all.delete(id);
    return undefined;
  }

  all(): IterableIterator<Exec> {
    return this.#all.values();
  }

  /** Started and not ended, in the order of creation. */
  live(): readonly Exec[] {
    return [...this.#all.values()].filter((exec) => exec.isLive);
  }

  /** Those and the ones that were not started yet. */
  present(): readonly Exec[] {
    return [...this.#all.values()].filter((exec) => exec.state !== 'ended');
  }

  /** One has ended. */
  spend(usage: RunEnd['usage']): void {
    if (!usage) return;
    this.spent = addUp([this.spent, usage]);
  }

  #tidy(now: number): void {
    const ended = [...this.#all.values()].filter(({ state }) => state === 'ended');
    const kept = ended.filter(({ endedAt }) => now - endedAt < KEEP_FOR).slice(-KEEP);
    for (const exec of ended) if (!kept.includes(exec)) this.#all.delete(exec.id);
    const idle = [...this.#all.values()].filter(({ state }) => state === 'created');
    for (const exec of idle.slice(0, -KEEP)) this.#all.delete(exec.id);
  }
}

const addUp = (parts: readonly Spent[]): Spent => {
  const sum = (key: keyof Spent): number => parts.reduce((total, part) => total + part[key], 0);
  return {
    cpuUser: sum('cpuUser'),
    cpuSystem: sum('cpuSystem'),
    readBytes: sum('readBytes'),
    writtenBytes: sum('writtenBytes'),
    receivedBytes: sum('receivedBytes'),
    sentBytes: sum('sentBytes'),
  };
};

/** A container's usage: its own run's, that of its execs, and what ended ones have spent. */
export function totalUsage(own: RunUsage, execs: readonly RunUsage[], spent: Spent): RunUsage {
  const sum = (key: 'memory' | 'memoryPeak' | 'threads'): number =>
    execs.reduce((total, usage) => total + usage[key], own[key]);
  return {
    ...addUp([own, ...execs, spent]),
    memory: sum('memory'),
    memoryPeak: sum('memoryPeak'),
    threads: sum('threads'),
  };
}
