/** Wall-clock nanoseconds that never repeat or go back within this process: Date gives milliseconds, hrtime fills in the rest. */
const origin = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
let last = 0n;

/** Nanoseconds since the epoch. Follows the wall clock when it is set forward or back by more than a second. */
export function nowNano(): bigint {
  const wall = BigInt(Date.now()) * 1_000_000n;
  let time = origin + process.hrtime.bigint();
  if (time - wall > 1_000_000_000n || wall - time > 1_000_000_000n) time = wall;
  if (time <= last && last - time < 1_000_000_000n) time = last + 1n;
  last = time;
  return time;
}
