import type { ModuleImport } from '../../module/describe.ts';
import { gauge, type Bridge } from '../bridge/layout.ts';
import { plainHost } from '../plain-host.ts';
import { argsFamily } from '../wasi/args.ts';
import { clockFamily } from '../wasi/clock.ts';
import { environFamily } from '../wasi/environ.ts';
import { GuestMemory } from '../wasi/guest-memory.ts';
import { procFamily } from '../wasi/proc.ts';
import { randomFamily } from '../wasi/random.ts';
import { schedFamily } from '../wasi/sched.ts';
import type { HostFunction } from '../wasi/world.ts';
import type { ThreadedProgram } from './protocol.ts';

/** `env.trace` of AssemblyScript writes to stderr, which is the host's. */
const elsewhere = new Set(['trace']);

/**
 * The host functions that need nothing but the caller's own memory: they are answered in the calling thread, because a trip to the host thread costs
 * two wake-ups.
 */
export function localHost(
  { args, env, memory: bound }: ThreadedProgram,
  { gauges }: Bridge,
): (entry: ModuleImport) => HostFunction | undefined {
  const memory = new GuestMemory((bytes) => {
    gauges[gauge.memory] = bytes;
    if (bytes > (gauges[gauge.memoryPeak] as number)) gauges[gauge.memoryPeak] = bytes;
  });
  memory.bind(bound);
  const wasi: Record<string, HostFunction> = {
    ...argsFamily({ world: { args }, memory }),
    ...environFamily({ world: { env }, memory }),
    ...clockFamily({ memory, threads: true }),
    ...procFamily({ memory }),
    ...randomFamily({ memory }),
    ...schedFamily({ memory }),
  };
  const plain = plainHost(
    () => bound,
    () => undefined,
  );
  return (entry) => {
    if (entry.module === 'wasi_snapshot_preview1' || entry.module === 'wasi_unstable') return wasi[entry.name];
    return elsewhere.has(entry.name) ? undefined : plain(entry);
  };
}
