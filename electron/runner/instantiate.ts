import type { ModuleDescription } from '../module/describe.ts';
import { cannotRun, engineFault, type NotRunnable } from './not-runnable.ts';

/** A start section runs guest code inside of `instantiate`: from there on it is the guest that fails. */
export const hasStart = ({ sections }: ModuleDescription): boolean => sections.some(({ name }) => name === 'start');

/** @throws NotRunnable, or what the start section threw */
export function instantiate(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  runsAtOnce: boolean,
  name: string,
): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (error) {
    if (!runsAtOnce) throw notLinked(name, error);
    throw error;
  }
}

function notLinked(name: string, error: unknown): NotRunnable {
  const text = (error as Error).message.replace(/^WebAssembly\.Instance\(\): /, '');
  if (error instanceof WebAssembly.LinkError) return cannotRun(name, `the module cannot be linked: ${text}`);
  // Out-of-bounds data or element segments: the module is built wrong.
  if (error instanceof WebAssembly.RuntimeError) return cannotRun(name, `the module cannot be instantiated: ${text}`);
  return engineFault('unavailable', `the module cannot be instantiated: ${text}`);
}
