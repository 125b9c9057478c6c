import type { ModuleInfo } from '../contract/modules.ts';
import type { ImageModule } from '../engine/api/index.ts';

/** A description as it travels to the window: a mutable copy with the digest. */
export function moduleInfoOf(digest: string, description: ImageModule['description']): ModuleInfo {
  const { kind, size, flavour, entry, language, memory, capabilities, refusal } = description;
  return {
    digest,
    kind,
    size,
    flavour,
    entry,
    producers: description.producers.map((producer) => ({ ...producer })),
    imports: description.imports.map(({ params, results, ...rest }) => ({
      ...rest,
      ...(params ? { params: [...params] } : {}),
      ...(results ? { results: [...results] } : {}),
    })),
    exports: description.exports.map(({ name, kind }) => ({ name, kind })),
    sections: description.sections.map((section) => ({ ...section })),
    capabilities: { ...capabilities },
    refusal,
    ...(language === undefined ? {} : { language }),
    ...(memory === undefined ? {} : { memory: { ...memory } }),
  };
}
