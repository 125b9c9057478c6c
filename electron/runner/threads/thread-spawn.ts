/** The import by which a guest starts threads (WebAssembly/wasi-threads). */
export const isThreadSpawn = ({ module, name }: { readonly module: string; readonly name: string }): boolean =>
  module === 'wasi' && name === 'thread-spawn';
