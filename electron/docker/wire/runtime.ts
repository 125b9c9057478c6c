import { invalid } from '../../base/errors.ts';
import type { ContainerSpec } from '../../engine/api/index.ts';

/** Runtimes that run modules here; the long names are those of Docker's own Wasm examples. */
export const runtimes = [
  'wasi',
  'io.containerd.wasmedge.v1',
  'io.containerd.wasmtime.v1',
  'wasmer',
  'io.containerd.wasmer.v1',
];

/** `--runtime`. '' = the default. @throws invalid with moby's text */
export function readRuntime(name: string | undefined): string | undefined {
  if (!name) return undefined;
  if (!runtimes.includes(name))
    throw invalid(`unknown or invalid runtime name: ${name}`, { hint: `known here: ${runtimes.join(', ')}` });
  return name;
}

/** `--isolation`. '' and 'default' = the engine's. @throws invalid */
export function readIsolation(name: string | undefined): ContainerSpec['isolation'] | undefined {
  switch (name) {
    case undefined:
    case '':
    case 'default':
      return undefined;
    case 'process':
    case 'shared':
    case 'strict':
      return name;
    default:
      throw invalid(`invalid isolation: "${name}"`, { hint: 'choose default, process, shared or strict' });
  }
}
