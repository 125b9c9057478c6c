/** Facts about the machine. */
import { arch, cpus, hostname, release, totalmem, type } from 'node:os';

export interface HostInfo {
  readonly hostName: string;
  /** "Linux", "Darwin", "Windows_NT". */
  readonly os: string;
  readonly kernelVersion: string;
  /** As `uname -m` has it: "x86_64", "aarch64". */
  readonly architecture: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memoryTotal: number;
}

const unameMachine: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686', arm: 'armv7l' };

export function hostInfo(): HostInfo {
  return {
    hostName: hostname(),
    os: type(),
    kernelVersion: release(),
    architecture: unameMachine[arch()] ?? arch(),
    cpus: Math.max(1, cpus().length),
    memoryTotal: totalmem(),
  };
}

/** Time that all cores together have spent since boot, idle included, in nanoseconds: what CPU shares are taken of (moby's system_cpu_usage). */
export function systemCpuNano(): { readonly total: number; readonly cores: number } {
  const all = cpus();
  let milliseconds = 0;
  for (const { times } of all) milliseconds += times.user + times.nice + times.sys + times.idle + times.irq;
  return { total: milliseconds * 1e6, cores: Math.max(1, all.length) };
}
