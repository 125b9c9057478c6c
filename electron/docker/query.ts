import { invalid } from '../base/errors.ts';

/** moby's httputils.BoolValue: anything but these is true ("True" from docker-py, "1" and "true" from the CLI). */
const falsehoods = new Set(['', '0', 'no', 'false', 'none']);

/** A query boolean. Absent = `fallback`. */
export function flag(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name);
  return value === null ? fallback : !falsehoods.has(value.trim().toLowerCase());
}

/** A whole number, or undefined when absent or empty. @throws invalid */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^-?\d{1,15}$/.test(value))
    throw invalid(`invalid value for ${name}: ${JSON.stringify(value)} is not a whole number`);
  return Number(value);
}

/** A text, or undefined when absent or empty. */
export function text(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

/** A JSON object in the query, or undefined when absent or empty (`buildargs`, `labels`). @throws invalid */
export function object(query: URLSearchParams, name: string): Readonly<Record<string, unknown>> | undefined {
  const value = query.get(name);
  if (!value) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch (error) {
    throw invalid(`invalid value for ${name}: not JSON: ${(error as Error).message}`);
  }
  if (parsed === null) return undefined;
  if (typeof parsed !== 'object' || Array.isArray(parsed))
    throw invalid(`invalid value for ${name}: not a JSON object`);
  return parsed as Record<string, unknown>;
}

/**
 * `seconds[.nanoseconds]` since the epoch as nanoseconds; read as text, because a float loses the last digits.
 * Absent, empty → undefined. RFC 3339 is taken as well, since some clients send what the user typed. @throws invalid
 */
export function timestamp(query: URLSearchParams, name: string): bigint | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  const match = /^(-?)(\d{1,12})(?:\.(\d+))?$/.exec(value);
  if (match) {
    const nano = BigInt(match[2] ?? '0') * 1_000_000_000n + BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
    return match[1] ? -nano : nano;
  }
  const rfc = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(value);
  const seconds = rfc ? Date.parse(`${rfc[1]}${rfc[3]}`) / 1000 : Number.NaN;
  if (!rfc || Number.isNaN(seconds))
    throw invalid(
      `invalid value for ${name}: ${JSON.stringify(value)} is neither seconds since the epoch nor RFC 3339`,
    );
  return BigInt(seconds) * 1_000_000_000n + BigInt((rfc[2] ?? '').padEnd(9, '0'));
}
