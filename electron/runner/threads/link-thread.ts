import type { ModuleImport } from '../../module/describe.ts';
import { MEMORY_MODULE, MEMORY_NAME } from '../../module/memory-import.ts';
import { openBridge } from '../bridge/layout.ts';
import { type Ending, exiting } from '../host-calls.ts';
import type { HostFunction } from '../wasi/world.ts';
import { Caller } from './calls.ts';
import { localHost } from './local-host.ts';
import type { ThreadedProgram } from './protocol.ts';
import { isThreadSpawn } from './thread-spawn.ts';

/**
 * The import object of one thread: what it cannot answer itself is asked of the host thread, by the import's place in the module's list. `spawn` sends
 * the request for a thread to whoever answers to the slot.
 */
export function linkThread(
  program: ThreadedProgram,
  slot: number,
  ending: Ending,
  spawn: (argument: number) => void,
): WebAssembly.Imports {
  const { memory, compiled } = program;
  const { ownMemory, description } = compiled;
  const bridge = openBridge(program.bridge);
  const caller = new Caller(program.calls, slot, bridge.words);
  const local = localHost(program, bridge);
  const functionOf = (entry: ModuleImport, index: number): HostFunction => {
    if (isThreadSpawn(entry)) return (argument: number) => caller.ask(() => spawn(argument));
    const own = local(entry);
    if (!own) return (...args: (number | bigint)[]) => caller.call(index, args);
    return entry.name === 'proc_exit' ? exiting(own, ending) : own;
  };
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  description.imports.forEach((entry, index) => {
    const value = entry.kind === 'memory' ? memory : (functionOf(entry, index) as WebAssembly.ImportValue);
    (imports[entry.module] ??= {})[entry.name] = value;
  });
  if (ownMemory) (imports[MEMORY_MODULE] ??= {})[MEMORY_NAME] = memory;
  return imports;
}
