/** JavaScript promise integration, which TypeScript does not know yet (https://github.com/WebAssembly/js-promise-integration). */
export interface Jspi {
  /** An import that may answer with a promise: the guest's stack sleeps until it settles. Only inside of a `promising` call. */
  readonly Suspending: new (host: (...args: never[]) => unknown) => (...args: never[]) => number;
  /** Calls an export on a stack of its own. */
  promising(exported: () => unknown): () => Promise<unknown>;
}

/** Undefined where the engine underneath has no JSPI. */
export function findJspi(from: object = WebAssembly): Jspi | undefined {
  const found = from as Partial<Jspi>;
  return typeof found.Suspending === 'function' && typeof found.promising === 'function' ? (found as Jspi) : undefined;
}
