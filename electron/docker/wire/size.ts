import { invalid } from '../../base/errors.ts';

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** Bytes of "64m", "1.5g", "1024", "10MiB" (binary units, as go-units RAMInBytes). @throws invalid with `what` and the text */
export function parseSize(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const unit = match && units[(match[2] ?? '').toLowerCase()];
  if (!match || unit === undefined || unit === null) throw invalid(`${what}: invalid size: '${text}'`);
  return Math.trunc(Number(match[1]) * unit);
}
