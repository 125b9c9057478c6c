/** Options of `docker build` that speak of the machine. */
import { invalid } from '../../base/errors.ts';

interface Ulimit {
  readonly Name?: unknown;
  readonly Soft?: unknown;
}

/** @throws invalid */
function ulimits(query: URLSearchParams): readonly Ulimit[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(query.get('ulimits') || '[]');
  } catch {
    throw invalid('invalid value for ulimits: not JSON');
  }
  if (parsed === null) return [];
  if (!Array.isArray(parsed)) throw invalid('invalid value for ulimits: not a JSON array');
  return parsed as Ulimit[];
}

/** `--ulimit nofile`; 0 = none was asked for. @throws invalid */
export function openFilesOf(query: URLSearchParams): number {
  const soft = ulimits(query).find(({ Name }) => Name === 'nofile')?.Soft ?? 0;
  if (!Number.isSafeInteger(soft)) throw invalid('invalid value for ulimits: nofile is not a whole number');
  // -1 = as many as there can be, which is what there are without a limit.
  return Math.max(0, Number(soft));
}

const noGroups = 'there are no control groups';

const ignored: readonly (readonly [parameter: string, option: string, reason: string])[] = [
  ['cpushares', '--cpu-shares', noGroups],
  ['cpusetcpus', '--cpuset-cpus', noGroups],
  ['cpusetmems', '--cpuset-mems', noGroups],
  ['cgroupparent', '--cgroup-parent', noGroups],
  ['memswap', '--memory-swap', 'the limit of a WebAssembly module is the most that its memory can grow to'],
  ['shmsize', '--shm-size', 'a WebAssembly module shares no memory by files'],
  ['securityopt', '--security-opt', 'a WebAssembly module has no capabilities and no system calls'],
];

/** One sentence for each option that has no effect. @throws invalid */
export function ignoredBuildOptions(query: URLSearchParams): readonly string[] {
  const unset = new Set(['', '0', '[]', 'null']);
  return [
    ...ignored
      .filter(([parameter]) => !unset.has(query.get(parameter) ?? ''))
      .map(([, option, reason]) => `${option} has no effect: ${reason}`),
    ...ulimits(query)
      .filter(({ Name }) => Name !== 'nofile')
      .map(({ Name }) => `--ulimit ${String(Name)} has no effect: a WebAssembly module has no rlimits but nofile`),
  ];
}
