import type { RunSpec } from '../../supervisor/protocol.ts';

/**
 * A container's root is preopened as `/`, which wasi-libc, Go and Rust find every path through. A program that looks for a preopen of another name
 * (`--dir .` of other runtimes) gets it by this label: names separated by commas, each a directory below `/` or an absolute guest path.
 */
const label = 'drydock.wasi.preopens';

/** For a start; what is no directory then is an error of the start. */
export function preopensOf(labels: Readonly<Record<string, string>>): Pick<RunSpec, 'preopens'> {
  const names = (labels[label] ?? '').split(',').filter((name) => name !== '');
  return names.length > 0 ? { preopens: names } : {};
}
