import { invalid } from '../../../base/errors.ts';

const units: Readonly<Record<string, number>> = {
  h: 3_600_000_000_000,
  m: 60_000_000_000,
  s: 1_000_000_000,
  ms: 1_000_000,
  us: 1000,
  µs: 1000,
  ns: 1,
};

/** A Go duration (`1m30s`) in nanoseconds. @throws invalid */
export function duration(text: string, what: string): number {
  if (text === '0') return 0;
  const unsigned = text.replace(/^[+-]/, '');
  const parts = [...unsigned.matchAll(/(\d+(?:\.\d*)?|\.\d+)(h|ms|m|us|µs|ns|s)/g)];
  const isWhole = parts.map((part) => part[0]).join('') === unsigned && unsigned !== '';
  if (!isWhole) throw invalid(`invalid duration "${text}" for ${what}`, { hint: 'Write it like 30s or 1m30s.' });
  const sum = parts.reduce((total, part) => total + Number(part[1]) * (units[part[2] ?? ''] ?? 0), 0);
  if (sum === 0) return 0;
  if (text.startsWith('-') || sum < 1_000_000) throw invalid(`Interval "${what}" cannot be less than 1ms`);
  return Math.round(sum);
}
