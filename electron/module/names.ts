import { Reader } from './reader.ts';

/**
 * Function names from the payload of a `name` custom section after its own name, which is what `WebAssembly.Module.customSections(module, 'name')`
 * gives (WebAssembly core specification, appendix): index to name, imports counted first. For stack traces; empty when it is damaged.
 */
export function functionNames(payload: Uint8Array): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  try {
    const section = new Reader(payload, "section 'name'");
    while (!section.done) {
      const kind = section.byte();
      const r: Reader = section.slice(section.u32(), "section 'name'");
      if (kind !== 1) continue;
      for (let n = r.count(1_000_000, 'names'); n > 0; n--) names.set(r.u32(), r.name());
    }
  } catch {
    // A trace with fewer names is better than none.
  }
  return names;
}

/** Makes C++ and Rust names readable where that needs no full demangler: nested names and Rust's legacy hashes. Others stay as they are. */
export function demangle(name: string): string {
  const match = /^_ZN(?:K|V|r)*((?:\d+[^]*)+)E/.exec(name);
  const simple = /^_Z(\d+)/.exec(name);
  let rest = match?.[1] ?? (simple ? name.slice(2) : undefined);
  if (rest === undefined) return name;
  const parts: string[] = [];
  for (;;) {
    const digits = /^\d+/.exec(rest)?.[0];
    if (digits === undefined) break;
    const length = Number(digits);
    const part = rest.slice(digits.length, digits.length + length);
    if (length === 0 || part.length < length) return name;
    parts.push(part);
    rest = rest.slice(digits.length + length);
    if (simple && !match) break;
  }
  if (parts.length === 0) return name;
  if (/^h[0-9a-f]{16}$/.test(parts.at(-1) ?? '')) parts.pop();
  return parts
    .join('::')
    .replace(/\$LT\$/g, '<')
    .replace(/\$GT\$/g, '>')
    .replace(/\$u20\$/g, ' ')
    .replace(/\$u7b\$/g, '{')
    .replace(/\$u7d\$/g, '}')
    .replace(/\$RF\$/g, '&')
    .replace(/\$C\$/g, ',')
    .replace(/\.\./g, '::');
}
