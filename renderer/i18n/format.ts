/** Numbers, sizes and times as text. Pure: the locale is an argument, words come from `words.ts`. */

/** Making a formatter costs more than using it a hundred times: one a locale and kind is kept. */
function kept<T>(make: (locale: string) => T): (locale: string) => T {
  const made = new Map<string, T>();
  return (locale) => {
    let formatter = made.get(locale);
    if (!formatter) made.set(locale, (formatter = make(locale)));
    return formatter;
  };
}
const digits = (least: number, most: number): ((locale: string) => Intl.NumberFormat) =>
  kept((locale) => new Intl.NumberFormat(locale, { minimumFractionDigits: least, maximumFractionDigits: most }));

const whole = digits(0, 0);
const oneDigit = digits(1, 1);
const upToOneDigit = digits(0, 1);
const twoDigits = digits(2, 2);
const exactInstant = kept(
  (locale) =>
    new Intl.DateTimeFormat(locale, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hour12: false,
      timeZoneName: 'short',
    }),
);

const steps = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in SI units: "512 B", "84 kB", "24.6 MB", "148 MB". `least`: digits that are kept even when they are 0. */
export function bytes(count: number, locale: string, least: 0 | 1 = 1): string {
  let value = count;
  let step = 0;
  // 999.5 would be written "1000": the next unit says it better.
  while (value >= 999.5 && step < steps.length - 1) {
    value /= 1000;
    step++;
  }
  const format = step < 2 || value >= 99.95 ? whole : least === 0 ? upToOneDigit : oneDigit;
  return `${format(locale).format(value)} ${steps[step]}`;
}

/** "11.2 %", "188 %": per cent of one core in the same width below 1000 %, so that cells stand still. */
export const percent = (value: number, locale: string, least: 0 | 1 = 1): string =>
  `${(value >= 99.95 ? whole : least === 0 ? upToOneDigit : oneDigit)(locale).format(value)} %`;

/** "1,048,188" */
export const count = (value: number, locale: string): string => whole(locale).format(value);

/** "0.28" cores out of per cent of one core. */
export const cores = (perCent: number, locale: string): string => twoDigits(locale).format(perCent / 100);

/** The exact instant, for hover: "24 Nov 2026, 05:42:34.118 UTC". */
export const instant = (time: number, locale: string): string => exactInstant(locale).format(time);

/** "2026-11-24T09:41:02.118Z": for files and details that programs read. */
export const isoTime = (time: number): string => new Date(time).toISOString();

/** "09:41:02.118" in local time; the column of log lines. */
export function clockTime(time: number): string {
  const date = new Date(time);
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

export type Unit = 'second' | 'minute' | 'hour' | 'day' | 'month' | 'year';
export interface Span {
  readonly value: number;
  readonly unit: Unit;
}

const lengths: readonly [Unit, number][] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** A length of time in its largest units: one ("2 h") or two ("2 h 14 min"), rounded down, never negative. */
export function span(milliseconds: number, parts: 1 | 2): Span[] {
  const length = Math.max(0, milliseconds);
  const at = Math.max(
    0,
    lengths.findIndex(([unit, size]) => length >= size || unit === 'second'),
  );
  const [unit, size] = lengths[at] ?? (['second', 1000] as const);
  const first: Span = { value: Math.floor(length / size), unit };
  const next = lengths[at + 1];
  if (parts === 1 || !next) return [first];
  const value = Math.floor((length % size) / next[1]);
  return value === 0 ? [first] : [first, { value, unit: next[0] }];
}
