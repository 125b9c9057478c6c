import { errno } from './errno.ts';
import { guard, type Family, type Host } from './host.ts';
import { clockid } from './types.ts';

const MILLISECOND = 1_000_000n;
/** The wall clock is compared this often (ns), and followed when it is off by more than the drift (ns). */
const COMPARE_EVERY = 100n * MILLISECOND;
const DRIFT = 2n * MILLISECOND;

/** Kept, because finding it anew (two accessors of `process`) would cost as much as the clock. */
const hrtime = process.hrtime.bigint;

let offset = BigInt(Date.now()) * MILLISECOND - hrtime();
let compared = 0n;

/** The guest's CLOCK_MONOTONIC, in ns. */
export const monotonic = hrtime;

/** The guest's CLOCK_REALTIME, in ns since the epoch: Date is exact to the millisecond only, so the monotonic clock fills in the rest. */
export function realtime(): bigint {
  const now = hrtime();
  if (now - compared > COMPARE_EVERY) {
    compared = now;
    const off = BigInt(Date.now()) * MILLISECOND - (now + offset);
    if (off > DRIFT || off < -DRIFT) offset += off;
  }
  return now + offset;
}

/** CPU time of the calling thread, of the process where Node cannot tell. In ns. */
function threadTime(): bigint {
  const { user, system } =
    'threadCpuUsage' in process ? process.threadCpuUsage() : (process as NodeJS.Process).cpuUsage();
  return BigInt(user + system) * 1000n;
}

const processTime = (): bigint => {
  const { user, system } = process.cpuUsage();
  return BigInt(user + system) * 1000n;
};

/** A guest without threads is one thread, which runs nothing else; otherwise (`threads`) it is what the process does. */
export function clockFamily({ memory, threads = false }: Pick<Host, 'memory'> & { threads?: boolean }): Family {
  return {
    clock_res_get: guard(memory, (id: number, out: number) => {
      if (id < clockid.realtime || id > clockid.threadCpu) return errno.inval;
      memory.u64(out, id <= clockid.monotonic ? 1n : 1000n);
      return errno.success;
    }),
    // The most called function of many programs, so it goes the shortest way.
    clock_time_get: (id: number, _precision: bigint, out: number): number => {
      memory.refresh();
      const pointer = out >>> 0;
      if (pointer + 8 > memory.bytes.length) return errno.fault;
      let now: bigint;
      if (id === clockid.monotonic) now = hrtime();
      else if (id === clockid.realtime) now = realtime();
      else if (id === clockid.threadCpu) now = threadTime();
      else if (id === clockid.processCpu) now = threads ? processTime() : threadTime();
      else return errno.inval;
      memory.view.setBigUint64(pointer, now, true);
      return errno.success;
    },
  };
}
