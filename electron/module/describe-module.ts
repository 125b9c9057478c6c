import { invalid } from '../base/errors.ts';
import { componentCapabilities, coreCapabilities } from './capabilities.ts';
import { parseComponent } from './component.ts';
import { parseCore } from './core.ts';
import type { ModuleDescription } from './describe.ts';
import { componentFlavour, coreFlavour } from './flavour.ts';
import { identify } from './not-wasm.ts';
import { languageOf, readProducers } from './producers.ts';
import { refusalOf } from './refusal.ts';

const isWasm = (bytes: Uint8Array): boolean =>
  bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;

/**
 * What a module is, from its bytes. Costs a walk over section headers, types, imports and exports; code and data are skipped.
 * @throws invalid when it is not WebAssembly (`data.found` says what it is instead) or damaged (with the byte and the section).
 */
export function describeModule(bytes: Uint8Array): ModuleDescription {
  if (!isWasm(bytes)) {
    const found = identify(bytes);
    throw invalid(`not a WebAssembly module (${found})`, {
      hint: hintFor(found),
      data: { found },
    });
  }
  const version = (bytes[4] as number) | ((bytes[5] as number) << 8);
  const layer = (bytes[6] as number) | ((bytes[7] as number) << 8);
  if (layer === 0 && version === 1) return describeCore(bytes);
  if (layer === 1 && version === 0x0d) return describeComponent(bytes);
  const what =
    layer === 1 ? `a component of an old draft (version ${version})` : `WebAssembly version ${version}, layer ${layer}`;
  throw invalid(`not a valid WebAssembly module: ${what}, which nothing runs any more`, {
    hint: 'Build it again with current tools.',
    data: { found: what },
  });
}

function hintFor(found: string): string {
  if (found.startsWith('ELF') || found.endsWith('executable'))
    return 'Drydock runs WebAssembly. Build the program for wasm32-wasip1, or look for an image with the platform wasi/wasm.';
  if (found.startsWith('WebAssembly text')) return 'Convert it with wat2wasm or wasm-tools parse first.';
  return 'Drydock runs WebAssembly modules built for WASI (wasm32-wasip1).';
}

function describeCore(bytes: Uint8Array): ModuleDescription {
  const core = parseCore(bytes);
  const { sections, imports, exports } = core;
  const exported = (name: string) => exports.some((item) => item.name === name && item.kind === 'function');
  const entry = exported('_start') ? 'command' : exported('_initialize') ? 'reactor' : 'library';
  const producers = readProducers(bytes, sections);
  const language = languageOf(producers);
  const flavour = coreFlavour(core);
  const memory: ModuleDescription['memory'] = core.memory && {
    initial: core.memory.initial,
    ...(core.memory.maximum === undefined ? {} : { maximum: core.memory.maximum }),
    shared: core.memory.shared,
    imported: core.memory.imported,
  };
  return {
    kind: 'core',
    size: bytes.length,
    flavour,
    entry,
    imports,
    exports,
    sections,
    ...(language === undefined ? {} : { language }),
    producers,
    ...(memory ? { memory } : {}),
    capabilities: coreCapabilities(imports),
    refusal: refusalOf(flavour, { imports, exports, entry, ...(memory ? { memory } : {}) }, core.any64),
  };
}

function describeComponent(bytes: Uint8Array): ModuleDescription {
  const { sections, imports, exports, hasCode } = parseComponent(bytes);
  const producers = readProducers(bytes, sections);
  const language = languageOf(producers);
  const flavour = componentFlavour(exports, hasCode);
  const entry = flavour === 'component-command' ? 'command' : 'library';
  return {
    kind: 'component',
    size: bytes.length,
    flavour,
    entry,
    imports,
    exports,
    sections,
    ...(language === undefined ? {} : { language }),
    producers,
    capabilities: componentCapabilities(imports),
    refusal: refusalOf(flavour, { imports, exports, entry }, false),
  };
}
