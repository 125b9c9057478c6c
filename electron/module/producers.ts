import type { ModuleSection } from './describe.ts';
import { Reader } from './reader.ts';

export interface Producer {
  readonly field: string;
  readonly name: string;
  readonly version: string;
}

/** The `producers` custom section (tool-conventions/ProducersSection.md). A damaged one is as good as none: it decides nothing. */
export function readProducers(bytes: Uint8Array, sections: readonly ModuleSection[]): readonly Producer[] {
  const section = sections.find((entry) => entry.name === 'custom:producers');
  if (!section) return [];
  const found: Producer[] = [];
  try {
    const r = new Reader(bytes, "section 'producers'", section.offset, section.offset + section.size);
    r.name();
    for (let n = r.count(100, 'fields'); n > 0; n--) {
      const field = r.name();
      for (let m = r.count(1000, 'values'); m > 0; m--) found.push({ field, name: r.name(), version: r.name() });
    }
  } catch {
    return [];
  }
  return found;
}

/** The languages to show, as the tools wrote them but without the standard's year: "Rust", "C, Rust". Undefined when nothing was written. */
export function languageOf(producers: readonly Producer[]): string | undefined {
  const languages = producers
    .filter((entry) => entry.field === 'language')
    .map((entry) => entry.name.replace(/^C(89|90|99|11|17|18|23)$/, 'C').replace(/^C_plus_plus.*$/, 'C++'));
  return languages.length === 0 ? undefined : [...new Set(languages)].join(', ');
}
