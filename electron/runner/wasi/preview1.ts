import { argsFamily } from './args.ts';
import { clockFamily } from './clock.ts';
import { DescriptorTable } from './descriptors.ts';
import { environFamily } from './environ.ts';
import { fdDirectoryFamily } from './fd-directory.ts';
import { fdIoFamily } from './fd-io.ts';
import { fdFamily } from './fd.ts';
import { GuestMemory } from './guest-memory.ts';
import type { Host } from './host.ts';
import { pathFamily } from './path.ts';
import { pollFamily } from './poll.ts';
import { procFamily } from './proc.ts';
import { randomFamily } from './random.ts';
import { schedFamily } from './sched.ts';
import { sockFunctions } from './sock.ts';
import type { GuestWorld, HostFunction } from './world.ts';

/** The host of one run of one guest. */
export interface Preview1 {
  /** All 46 functions of `wasi_snapshot_preview1`, and WasmEdge's sockets. */
  readonly imports: Record<string, HostFunction>;
  /**
   * The function for an import as the module declares it: some names of sockets have two shapes, told apart by the number of parameters. Undefined: there is
   * none of that name, or none of that shape.
   */
  find(name: string, params: readonly string[] | undefined): HostFunction | undefined;
  /** What other ABIs over the same guest are made of (unstable.ts). */
  readonly host: Host;
  /** To be called with the instance's memory before any of its code runs. */
  bindMemory(memory: WebAssembly.Memory): void;
  /** Closes all that the guest has open. */
  dispose(): void;
}

/** The only imports that may answer with a Wait. */
export const BLOCKING_IMPORTS: ReadonlySet<string> = new Set([
  ...['fd_read', 'fd_write', 'poll_oneoff', 'epoll_oneoff', 'sock_getaddrinfo'],
  ...['bind', 'listen', 'connect', 'accept', 'recv', 'recv_from', 'send', 'send_to'].flatMap((name) => [
    `sock_${name}`,
    `sock_${name}_v2`,
  ]),
]);

/**
 * WASI preview 1 (`wasi_snapshot_preview1`, witx phase "snapshot") for one guest. Descriptors 0, 1 and 2 are the world's streams, 3 is the root of
 * its mounts, preopened as `/`.
 */
export function createPreview1(world: GuestWorld): Preview1 {
  const memory = new GuestMemory((bytes) => world.noteMemory(bytes));
  const descriptors = new DescriptorTable(world);
  const host: Host = { world, memory, descriptors };
  const sock = sockFunctions(host);
  const imports: Record<string, HostFunction> = {
    ...argsFamily(host),
    ...environFamily(host),
    ...clockFamily(host),
    ...fdFamily(host),
    ...fdIoFamily(host),
    ...fdDirectoryFamily(host),
    ...pathFamily(host),
    ...pollFamily(host),
    ...procFamily(host),
    ...randomFamily(host),
    ...schedFamily(host),
    ...sock.family,
  };
  return {
    host,
    imports,
    find: (name, params) => {
      const shapes = params && sock.bySignature[name];
      return shapes ? shapes[params.length] : imports[name];
    },
    bindMemory: (bound) => memory.bind(bound),
    dispose: () => {
      descriptors.closeAll();
      memory.unbind();
    },
  };
}
