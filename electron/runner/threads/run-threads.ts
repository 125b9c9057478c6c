import type { RunSpec } from '../../supervisor/protocol.ts';
import type { CompiledProgram } from '../compiled-program.ts';
import { entryPoints } from '../entry-points.ts';
import { openHost, wasiOf } from '../link-guest.ts';
import { linkImports } from '../link.ts';
import { createMemory } from '../memory.ts';
import { cannotRun } from '../not-runnable.ts';
import { plainHost } from '../plain-host.ts';
import type { FoundProgram } from '../program.ts';
import type { GuestWorld } from '../wasi/world.ts';
import { Answerer, createCalls } from './calls.ts';
import type { ThreadedProgram, ThreadsWanted } from './protocol.ts';
import { serve, served, type ServedFunction } from './serve.ts';
import { isThreadSpawn } from './thread-spawn.ts';

/** True for a program that may start threads. */
export const hasThreads = ({ description }: CompiledProgram): boolean => description.imports.some(isThreadSpawn);

/**
 * The host of a run whose guest has threads: no guest code runs in this thread, which answers the calls of all of them until the control thread has
 * ended the last one. `want` asks the control thread for the main one.
 * @throws NotRunnable when the program cannot be linked.
 */
export function runThreads(
  { program, path, func }: FoundProgram,
  spec: RunSpec,
  world: GuestWorld,
  bridge: { readonly shared: SharedArrayBuffer; readonly words: Int32Array },
  want: (message: ThreadsWanted) => void,
): void {
  const { description } = program;
  const entries = entryPoints(program, spec.module, func);
  const memory = createMemory(program, spec.memoryLimit);
  if (!memory) throw cannotRun(spec.module, 'the module starts threads but has no memory that they could share');
  world.noteMemory(memory.buffer.byteLength);
  const preview1 = openHost(world, spec.module);
  try {
    const wasi = wasiOf(preview1);
    const plain = plainHost(
      () => memory,
      (line) => world.stderr.write([Buffer.from(line)]),
    );
    const functions: (ServedFunction | undefined)[] = description.imports.map(() => undefined);
    linkImports(program, spec.module, memory, (entry) => {
      const host = isThreadSpawn(entry) ? () => undefined : (wasi(entry) ?? plain(entry));
      if (host) functions[description.imports.indexOf(entry)] = served(entry, host);
      return host;
    });
    preview1.bindMemory(memory);
    const calls = createCalls();
    const answerer = new Answerer(calls);
    const threaded: ThreadedProgram = {
      name: spec.module,
      compiled: program,
      memory,
      memoryLimit: spec.memoryLimit,
      entries,
      args: spec.args,
      env: spec.env,
      bridge: bridge.shared,
      calls,
    };
    want({ t: 'threads', id: spec.id, path, program: threaded });
    try {
      serve(answerer, functions, bridge.words);
    } finally {
      answerer.waitForEnd();
    }
    world.noteMemory(memory.buffer.byteLength);
  } finally {
    preview1.dispose();
  }
}
