import { invalid } from '../../base/errors.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Typed reading of what clients send. Absent and null are the same (Go clients send null for every empty slice), names are matched without regard
 * to case as Go's decoder does, and a wrong type is a 400 that names the field.
 */
export class Fields {
  readonly raw: JsonObject;
  readonly #path: string;
  #lower: ReadonlyMap<string, unknown> | undefined;

  constructor(raw: JsonObject | undefined, path = '') {
    this.raw = raw ?? {};
    this.#path = path;
  }

  /** The value as sent; undefined when absent or null. */
  value(name: string): unknown {
    const exact = Object.hasOwn(this.raw, name) ? this.raw[name] : undefined;
    if (exact !== undefined && exact !== null) return exact;
    this.#lower ??= new Map(Object.entries(this.raw).map(([key, value]) => [key.toLowerCase(), value]));
    return this.#lower.get(name.toLowerCase()) ?? undefined;
  }

  text(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrong(name, 'a string', value);
  }

  /** A string that is not empty, or undefined. */
  filled(name: string): string | undefined {
    return this.text(name) || undefined;
  }

  flag(name: string): boolean | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#wrong(name, 'true or false', value);
  }

  /** A whole number. */
  integer(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value))) return value;
    throw this.#wrong(name, 'a whole number', value);
  }

  /** A list of strings. */
  texts(name: string): readonly string[] | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
    throw this.#wrong(name, 'a list of strings', value);
  }

  /** A list of strings, or one string (entrypoint, command). */
  words(name: string): readonly string[] | undefined {
    const value = this.value(name);
    return typeof value === 'string' ? [value] : this.texts(name);
  }

  /** A list of objects. */
  list(name: string): readonly Fields[] {
    const value = this.value(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list', value);
    return value.map((each: unknown, index) => {
      if (typeof each !== 'object' || each === null || Array.isArray(each))
        throw this.#wrong(`${name}[${index}]`, 'an object', each);
      return new Fields(each as JsonObject, `${this.#path}${name}[${index}].`);
    });
  }

  /** An object; empty when absent. */
  child(name: string): Fields {
    return new Fields(this.#object(name), `${this.#path}${name}.`);
  }

  /** The names in an object whose values do not matter (`ExposedPorts`, `Volumes`). */
  keys(name: string): readonly string[] | undefined {
    const value = this.#object(name);
    return value && Object.keys(value);
  }

  /** An object of strings. */
  record(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.#object(name);
    if (!value) return undefined;
    const out: Record<string, string> = {};
    for (const [key, each] of Object.entries(value)) {
      if (each !== null && typeof each !== 'string') throw this.#wrong(`${name}.${key}`, 'a string', each);
      out[key] = each ?? '';
    }
    return out;
  }

  #object(name: string): JsonObject | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw this.#wrong(name, 'an object', value);
    return value as JsonObject;
  }

  #wrong(name: string, wanted: string, got: unknown): Error {
    const shown = JSON.stringify(got);
    return invalid(
      `${this.#path}${name} must be ${wanted}, got ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}`,
    );
  }
}

/** True for a value that a client sets only when it means something: not null, false, 0, '', [] or {}. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return true;
}
