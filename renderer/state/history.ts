import type { Stat } from '../../electron/contract/containers.ts';

/** Samples of one container, a second apart; the newest hour is kept. */
export const keptSamples = 3600;

export interface Sample {
  /** ms since the epoch. */
  readonly at: number;
  /** Per cent of one core. */
  readonly cpu: number;
  readonly memory: number;
  readonly threads: number;
  /** Bytes a second since the sample before. */
  readonly readRate: number;
  readonly writeRate: number;
}

export class History {
  #samples: Sample[] = [];
  #last: { at: number; read: number; written: number } | undefined;
  latest: Stat | undefined;

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  push(at: number, stat: Stat): void {
    const last = this.#last;
    // A new stream may begin with what the last one ended with.
    if (last && at <= last.at) return;
    const seconds = last ? (at - last.at) / 1000 : 0;
    // A smaller count is a new start of the container: no rate can be told.
    const rate = (now: number, before: number): number => (seconds > 0 && now >= before ? (now - before) / seconds : 0);
    this.#samples.push({
      at,
      cpu: stat.cpu,
      memory: stat.memory,
      threads: stat.threads,
      readRate: last ? rate(stat.readBytes, last.read) : 0,
      writeRate: last ? rate(stat.writtenBytes, last.written) : 0,
    });
    if (this.#samples.length > keptSamples + 600) this.#samples = this.#samples.slice(-keptSamples);
    this.#last = { at, read: stat.readBytes, written: stat.writtenBytes };
    this.latest = stat;
  }
}

/** Bars of `seconds` each, newest last, ending at the newest sample's slot: the highest CPU in each, 0 where nothing was measured. */
export function ribs(samples: readonly Sample[], bars: number, seconds: number): number[] {
  const out = new Array<number>(bars).fill(0);
  const newest = samples[samples.length - 1];
  if (!newest) return out;
  const width = seconds * 1000;
  const end = Math.floor(newest.at / width);
  for (let i = samples.length - 1; i >= 0; i--) {
    const sample = samples[i] as Sample;
    const bar = bars - 1 - (end - Math.floor(sample.at / width));
    if (bar < 0) break;
    out[bar] = Math.max(out[bar] ?? 0, sample.cpu);
  }
  return out;
}

/** The value that a bar of full height stands for: the larger of the own peak and 10 % of the limit (per cent of a core). */
export const ribScale = (bars: readonly number[], cpuLimit: number, cpus: number): number =>
  Math.max(...bars, (cpuLimit > 0 ? cpuLimit : Math.max(1, cpus)) * 10, 0.1);
