import type { MountTable } from '../fs/mount-table.ts';
import type { RunSpec } from '../supervisor/protocol.ts';
import type { InputReader } from './bridge/input-ring.ts';
import { type Bridge, gauge } from './bridge/layout.ts';
import type { OutputWriter } from './bridge/output-ring.ts';
import type { GuestNet } from './net/guest-net.ts';
import type { GuestOutput, GuestWorld } from './wasi/world.ts';

const streamOf = (output: OutputWriter, stream: 0 | 1): GuestOutput => ({
  write: (chunks) => output.write(stream, chunks),
  writable: () => output.writable(),
});

/** The world of one guest over shared memory. */
export function guestWorld(
  spec: RunSpec,
  mounts: MountTable,
  bridge: Bridge,
  input: InputReader,
  output: OutputWriter,
  net: GuestNet,
): GuestWorld {
  const { gauges } = bridge;
  return {
    args: spec.args,
    env: spec.env,
    mounts,
    preopens: spec.preopens,
    descriptorLimit: spec.descriptorLimit,
    stdin: input,
    stdout: streamOf(output, 0),
    stderr: streamOf(output, 1),
    tty: spec.tty !== undefined,
    net,
    noteMemory: (bytes) => noteMemory(gauges, bytes),
    noteIo: (read, written) => {
      gauges[gauge.readBytes] = (gauges[gauge.readBytes] as number) + read;
      gauges[gauge.writtenBytes] = (gauges[gauge.writtenBytes] as number) + written;
    },
  };
}

function noteMemory(gauges: Float64Array, bytes: number): void {
  gauges[gauge.memory] = bytes;
  if (bytes > (gauges[gauge.memoryPeak] as number)) gauges[gauge.memoryPeak] = bytes;
}
