/** (module (func (export "trap") unreachable)) */
const bytes = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00, 0x07,
  0x08, 0x01, 0x04, 0x74, 0x72, 0x61, 0x70, 0x00, 0x00, 0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b,
]);

let trap: (() => void) | undefined;

/**
 * Throws through any guest. A JavaScript exception is caught by `catch_all` of Wasm exception handling (a C++ `catch (...)` or destructor), a trap
 * is not: so proc_exit and the end of a run are traps on their way through guest frames.
 */
export function throwThroughGuest(): never {
  trap ??= new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports['trap'] as () => void;
  trap();
  throw new Error('unreachable returned');
}
