import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What is used of `@wasmer/wasi` 1.2.2. */
export interface Wasmer {
  readonly WASI: new (config: {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly preopens: Readonly<Record<string, string>>;
  }) => WasmerInstance;
}

export interface WasmerInstance {
  getImports(module: WebAssembly.Module): Record<string, Record<string, WebAssembly.ImportValue>>;
  instantiate(instance: WebAssembly.Instance, imports: object): WebAssembly.Instance;
  /** The exit code. */
  start(instance: WebAssembly.Instance): number;
  setStdinBuffer(bytes: Uint8Array): void;
  getStdoutBuffer(): Uint8Array;
  getStderrBuffer(): Uint8Array;
  free(): void;
}

let loading: Promise<Wasmer> | undefined;

/** Loads the library once; it is itself a Wasm module of 340 KB. `path`: its bundle. */
export function loadWasmer(path = join(import.meta.dirname, 'wasmer.cjs')): Promise<Wasmer> {
  return (loading ??= (async () => {
    const library = createRequire(import.meta.url)(path) as Wasmer & { init(): Promise<void> };
    await library.init();
    return library;
  })());
}
