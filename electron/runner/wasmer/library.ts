/** Entry of a bundle of its own, dist/main/wasmer.cjs. */
export { init, WASI } from '@wasmer/wasi';
