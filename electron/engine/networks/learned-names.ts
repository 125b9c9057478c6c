/** Which names the guests of a namespace have looked up, by the addresses they got: a rule for a name is applied when the address is connected to. */
import { formatIp, type Ip } from './ip.ts';

const maxAddresses = 4096;
const maxNames = 16;

export class LearnedNames {
  /** By canonical address; the most recently learned last, of the names as well. */
  readonly #names = new Map<string, Set<string>>();

  learn(name: string, ip: Ip): void {
    const key = formatIp(ip);
    const names = this.#names.get(key) ?? new Set<string>();
    this.#names.delete(key);
    this.#names.set(key, names);
    names.delete(name);
    names.add(name);
    dropOldest(names, maxNames);
    dropOldest(this.#names, maxAddresses);
  }

  of(ip: Ip): Iterable<string> {
    return this.#names.get(formatIp(ip)) ?? [];
  }
}

function dropOldest(
  kept: { readonly size: number; keys(): Iterator<string>; delete(key: string): unknown },
  max: number,
) {
  const oldest = kept.keys().next();
  if (kept.size > max && !oldest.done) kept.delete(oldest.value);
}
