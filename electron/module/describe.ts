/** What a .wasm is, told from its bytes alone: plain values for the engine, the Docker API and the window. */

/** Core modules have the first five; components import and export the others as well. */
export type ModuleItemKind =
  'function' | 'table' | 'memory' | 'global' | 'tag' | 'core module' | 'value' | 'type' | 'component' | 'instance';

export interface ModuleImport {
  /** Of a component: the whole name ("wasi:cli/run@0.2.3"), and `name` is empty. */
  readonly module: string;
  readonly name: string;
  readonly kind: ModuleItemKind;
  /** Functions only: value types as in the text format, e.g. ["i32","i32"]. */
  readonly params?: readonly string[];
  readonly results?: readonly string[];
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: ModuleItemKind;
  readonly params?: readonly string[];
  readonly results?: readonly string[];
}

export interface ModuleSection {
  /** 'type', 'import', 'function', …, or 'custom:NAME'. */
  readonly name: string;
  /** Offset of the payload and its length in bytes. */
  readonly offset: number;
  readonly size: number;
}

/** Which host a module was made for; reference wasi-runtime.md B. */
export type ModuleFlavour =
  | 'wasip1'
  | 'wasi-unstable'
  | 'wasi-threads'
  | 'plain' // imports nothing
  | 'component-command'
  | 'component-http'
  | 'component'
  | 'wit-package'
  | 'wasix'
  | 'emscripten'
  | 'emscripten-standalone'
  | 'go-js'
  | 'wasm-bindgen'
  | 'assemblyscript'
  | 'proxy-wasm'
  | 'dynamic-library'
  | 'unknown';

export interface ModuleDescription {
  readonly kind: 'core' | 'component';
  readonly size: number;
  readonly flavour: ModuleFlavour;
  /** 'command' has `_start`, 'reactor' `_initialize`, 'library' neither. */
  readonly entry: 'command' | 'reactor' | 'library';
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  readonly sections: readonly ModuleSection[];
  /** From the `producers` custom section. */
  readonly language?: string;
  readonly producers: readonly { readonly field: string; readonly name: string; readonly version: string }[];
  /** Pages of 64 KiB. */
  readonly memory?: {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared: boolean;
    readonly imported: boolean;
  };
  /** What it asks for, for the sheet: only what its imports let it do. */
  readonly capabilities: ModuleCapabilities;
  /** Null when Drydock can run it; otherwise one sentence that says why not and what would help. */
  readonly refusal: string | null;
}

export interface ModuleCapabilities {
  readonly args: boolean;
  readonly env: boolean;
  readonly filesRead: boolean;
  readonly filesWrite: boolean;
  readonly stdin: boolean;
  readonly clock: boolean;
  readonly random: boolean;
  readonly listen: boolean;
  readonly connect: boolean;
  readonly threads: boolean;
}
