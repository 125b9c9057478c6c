import { invalid } from '../../base/errors.ts';
import { isSet } from './fields.ts';
import type { Fields } from './fields.ts';
import { ignoredUlimits } from './limits.ts';

type Ignored = readonly [field: string, option: string, reason: string];

const noCapabilities = 'a WebAssembly module has no capabilities and no system calls';
const noSwap = 'the limit of a WebAssembly module is the most that its memory can grow to';
const noKernel = 'there is no kernel namespace around a WebAssembly module';

/** HostConfig fields that Compose files often carry and that have no meaning without containers: accepted, said once each (docker-api.md §11). */
const hostOptions: readonly Ignored[] = [
  ['Privileged', '--privileged', noCapabilities],
  ['CapAdd', '--cap-add', noCapabilities],
  ['SecurityOpt', '--security-opt', noCapabilities],
  ['Sysctls', '--sysctl', 'a WebAssembly module has no kernel of its own'],
  ['PidMode', '--pid', noKernel],
  ['IpcMode', '--ipc', noKernel],
  ['UTSMode', '--uts', noKernel],
  ['UsernsMode', '--userns', noKernel],
  ['CgroupParent', '--cgroup-parent', 'there are no control groups'],
  ['CpusetCpus', '--cpuset-cpus', 'there are no control groups'],
  ['CpuShares', '--cpu-shares', 'there are no control groups'],
  ['MemorySwap', '--memory-swap', noSwap],
  ['MemoryReservation', '--memory-reservation', noSwap],
  ['OomKillDisable', '--oom-kill-disable', 'a module that gets no more memory ends by itself'],
  ['BlkioWeight', '--blkio-weight', 'there are no control groups'],
  ['Links', '--link', 'containers on a network of their own find each other by name'],
  ['Dns', '--dns', 'names are resolved by the host'],
];

/** Values of these that mean "as usual". */
const usual: Readonly<Record<string, readonly string[]>> = { IpcMode: ['private', 'none', 'shareable'] };

/** What cannot be ignored because a program that asks for it cannot work without. */
const impossible: readonly (readonly [field: string, option: string])[] = [
  ['Devices', 'devices (--device)'],
  ['DeviceRequests', 'GPUs and other device requests (--gpus)'],
  ['DeviceCgroupRules', 'device rules (--device-cgroup-rule)'],
];

/** One warning for each option of a create request that has no effect. @throws invalid for options that are refused */
export function ignoredOptions(config: Fields, host: Fields): readonly string[] {
  for (const [field, what] of impossible) {
    if (isSet(host.value(field))) throw invalid(`${what} are not available to WebAssembly modules`);
  }
  const warnings = hostOptions
    .filter(([field]) => {
      const value = host.value(field);
      return isSet(value) && !(typeof value === 'string' && usual[field]?.includes(value));
    })
    .map(([, option, reason]) => `${option} has no effect: ${reason}`);
  if (config.filled('User')) warnings.push('User has no effect: a WebAssembly module runs as nobody in particular');
  for (const name of ignoredUlimits(host))
    warnings.push(`--ulimit ${name} has no effect: a WebAssembly module has no rlimits but nofile`);
  return warnings;
}
