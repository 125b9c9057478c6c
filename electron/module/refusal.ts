import type { ModuleDescription, ModuleFlavour, ModuleImport } from './describe.ts';

const sentences: Partial<Record<ModuleFlavour, string>> = {
  'component-command':
    'WebAssembly components (WASI 0.2) are not supported yet: build for wasm32-wasip1 to get a core module.',
  'component-http':
    'WebAssembly components (WASI 0.2) are not supported yet, wasi:http servers among them: build a wasm32-wasip1 command instead.',
  component:
    'WebAssembly components (WASI 0.2) are not supported yet: this one exports no wasi:cli/run either; build a wasm32-wasip1 command.',
  'wit-package': 'This is a WIT package: it holds interface types and no code, so there is nothing to run.',
  wasix: 'This module needs WASIX, which only Wasmer provides: build it for wasm32-wasip1 instead.',
  emscripten:
    'This module needs the JavaScript glue that Emscripten made with it: build with -sSTANDALONE_WASM, or for wasm32-wasip1 with wasi-sdk.',
  'go-js': 'This Go program was built for the browser (GOOS=js): build with GOOS=wasip1 GOARCH=wasm instead.',
  'wasm-bindgen':
    'This module needs the JavaScript glue of wasm-bindgen: build with --target wasm32-wasip1 and without wasm-bindgen.',
  'proxy-wasm': 'This is a proxy-wasm filter: it runs inside a proxy such as Envoy, not by itself.',
  'dynamic-library': 'This is a dynamic library (it has a dylink section): link it into a program first.',
};

/** Null when Drydock can run it, else one sentence that says why not and what would help. */
export function refusalOf(
  flavour: ModuleFlavour,
  module: Pick<ModuleDescription, 'imports' | 'exports' | 'entry' | 'memory'>,
  any64: boolean,
): string | null {
  const sentence = sentences[flavour];
  if (sentence !== undefined) return sentence;
  if (any64) return 'This module uses 64-bit memory (memory64), which WASI hosts do not support: build for wasm32.';
  if (flavour === 'unknown') return unknownImports(module.imports);
  if (flavour === 'wasi-threads') {
    const lacking = lackingThreads(module);
    if (lacking !== null) return lacking;
  }
  if (module.entry !== 'command' && !module.exports.some((entry) => entry.kind === 'function'))
    return 'This module exports no function, so there is nothing to run: build a command, which exports _start.';
  return null;
}

/** Null when it has all that starting threads takes (WebAssembly/wasi-threads). */
function lackingThreads({ exports, memory }: Pick<ModuleDescription, 'exports' | 'memory'>): string | null {
  const start = exports.find((entry) => entry.name === 'wasi_thread_start' && entry.kind === 'function');
  if (!memory?.shared)
    return 'This module starts threads (wasi.thread-spawn), but its memory is not shared: link it with --shared-memory, as the target wasm32-wasip1-threads does.';
  if (start?.params?.join() !== 'i32,i32' || (start.results?.length ?? 0) !== 0)
    return 'This module starts threads (wasi.thread-spawn), but exports no function wasi_thread_start(i32, i32) for them to begin in: build it for wasm32-wasip1-threads.';
  return null;
}

function unknownImports(imports: readonly ModuleImport[]): string {
  if (imports.some((entry) => entry.module === 'wasi_ephemeral_nn'))
    return 'This module needs machine learning by wasi-nn (wasi_ephemeral_nn), which is not supported yet.';
  const names = imports
    .filter((entry) => entry.kind !== 'memory' && !/^wasi_(snapshot_preview1|unstable)$/.test(entry.module))
    .map((entry) => `${entry.module}.${entry.name}`);
  const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  return `This module imports ${shown}, which no host of Drydock provides: it was made for another runtime; build it for wasm32-wasip1.`;
}
