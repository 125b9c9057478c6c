import { invalid } from '../base/errors.ts';
import type { Filters } from '../engine/api/index.ts';

/** A check of one value of a filter; true = fine. */
export type ValueCheck = (value: string) => boolean;
/** The keys that an endpoint knows. */
export type FilterKeys = Readonly<Record<string, ValueCheck>>;

export const anyValue: ValueCheck = () => true;
export const booleanValue: ValueCheck = (value) => /^(0|1|true|false)$/i.test(value);
export const oneOf =
  (...values: readonly string[]): ValueCheck =>
  (value) =>
    values.includes(value);

/**
 * `filters` of a list or prune request: `{"label":{"a=b":true}}` (CLI) or `{"label":["a=b"]}` (docker-py, dockerode); absent or empty = none.
 * Unknown keys and values that cannot be meant are refused here, so that the engine sees only filters it has. @throws invalid
 */
export function readFilters(query: URLSearchParams, keys: FilterKeys): Filters {
  const raw = query.get('filters');
  if (!raw) return new Map();
  let parsed: unknown;
  try {
    parsed = JSON.parse(raw);
  } catch {
    throw invalid(`invalid filter: ${JSON.stringify(raw)} is not JSON`);
  }
  if (parsed === null) return new Map();
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw invalid(`invalid filter: ${raw} is not a JSON object`);
  const filters = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(parsed)) {
    const check = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (!check) throw invalid(`invalid filter '${key}'`, { hint: `known here: ${Object.keys(keys).join(', ')}` });
    const values = valuesOf(key, value);
    const wrong = values.find((each) => !check(each));
    if (wrong !== undefined) throw invalid(`invalid filter '${key}=${wrong}'`);
    if (values.length > 0) filters.set(key, values);
  }
  return filters;
}

function valuesOf(key: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) {
    if (value.every((each) => typeof each === 'string')) return value;
  } else if (typeof value === 'object' && value !== null) {
    return Object.keys(value);
  }
  throw invalid(`invalid filter '${key}': expected a list of strings or an object of booleans`);
}

/** `until` of prune filters: epoch seconds, a duration before now, or a date; the engine reads it. */
export const pruneKeys: FilterKeys = { label: anyValue, 'label!': anyValue, until: anyValue };
