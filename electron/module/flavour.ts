import type { ModuleExport, ModuleFlavour, ModuleImport, ModuleSection } from './describe.ts';

interface Seen {
  readonly sections: readonly ModuleSection[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
}

/** `env` functions that a plain host can answer: growth notice of Emscripten's standalone mode, AssemblyScript's abort and its friends. */
const harmlessEnv = new Set(['emscripten_notify_memory_growth']);
const assemblyScriptEnv = new Set(['abort', 'seed', 'trace']);

/** Names that Emscripten's JavaScript glue provides and nobody else. */
const isEmscripten = (name: string): boolean =>
  /^(emscripten_|_emscripten_|__syscall_|invoke_|__cxa_|_embind_|_emval_|_abort_js|_mmap_js|_munmap_js|_tzset_js)/.test(
    name,
  );

/** Which host a core module was made for, from its imports, then its exports (reference wasi-runtime.md B). */
export function coreFlavour({ sections, imports, exports }: Seen): ModuleFlavour {
  const modules = new Set(imports.map((entry) => entry.module));
  const exported = (name: string | RegExp) =>
    exports.some((entry) => (typeof name === 'string' ? entry.name === name : name.test(entry.name)));
  const functionsOf = (module: string) =>
    imports.filter((entry) => entry.module === module && entry.kind === 'function').map((entry) => entry.name);
  const env = functionsOf('env');

  if (sections.some((section) => section.name === 'custom:dylink.0' || section.name === 'custom:dylink'))
    return 'dynamic-library';
  if (
    [...modules].some((name) => /^wasix_(32|64)v\d+$/.test(name)) ||
    modules.has('wasi_experimental_network_unstable')
  )
    return 'wasix';
  if (modules.has('gojs') || (modules.has('go') && functionsOf('go').some((name) => name.startsWith('runtime.'))))
    return 'go-js';
  if (exported(/^proxy_abi_version_/)) return 'proxy-wasm';
  if (
    modules.has('wbg') ||
    [...modules].some((name) => name.startsWith('__wbindgen_')) ||
    exported(/^__wbindgen_/) ||
    imports.some((entry) => entry.name.startsWith('__wbindgen_') || entry.name.startsWith('__wbg_'))
  )
    return 'wasm-bindgen';
  if (env.some((name) => isEmscripten(name) && !harmlessEnv.has(name)) || modules.has('a')) return 'emscripten';
  if (functionsOf('wasi').includes('thread-spawn')) return 'wasi-threads';

  const known = (entry: ModuleImport) =>
    entry.module === 'wasi_snapshot_preview1' ||
    entry.module === 'wasi_unstable' ||
    entry.kind === 'memory' ||
    (entry.module === 'env' &&
      entry.kind === 'function' &&
      (harmlessEnv.has(entry.name) || assemblyScriptEnv.has(entry.name)));
  if (!imports.every(known)) return 'unknown';
  if (env.some((name) => assemblyScriptEnv.has(name))) return 'assemblyscript';
  if (env.some((name) => harmlessEnv.has(name))) return 'emscripten-standalone';
  if (modules.has('wasi_unstable')) return 'wasi-unstable';
  if (modules.has('wasi_snapshot_preview1')) return 'wasip1';
  return 'plain';
}

/** What a component is for, from the names of its exports before the version. */
export function componentFlavour(exports: readonly ModuleExport[], hasCode: boolean): ModuleFlavour {
  if (!hasCode) return 'wit-package';
  const has = (name: string) => exports.some((entry) => entry.name === name || entry.name.startsWith(`${name}@`));
  if (has('wasi:cli/run')) return 'component-command';
  if (has('wasi:http/incoming-handler') || has('wasi:http/handler')) return 'component-http';
  return 'component';
}
