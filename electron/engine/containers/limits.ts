/** Limits of a container: which may be asked for, and what they are for one of its runs. */
import { invalid } from '../../base/errors.ts';
import { hostInfo } from '../../platform/host-info.ts';
import type { RunRequest } from '../../supervisor/api.ts';
import type { RunSpec } from '../../supervisor/protocol.ts';
import type { ContainerConfig } from '../api/index.ts';

type Limits = Pick<ContainerConfig, 'memory' | 'nanoCpus' | 'pidsLimit' | 'openFiles' | 'storageSize'>;

/** One page: a module with any memory has at least this much. */
const LEAST_MEMORY = 64 * 1024;
/** Below this not even the directories of a mount point fit. */
const LEAST_STORAGE = 64 * 1024;
/** Descriptors of a guest that asks for no limit of its own: the host's own bound is meant to be met later. */
const OPEN_FILES = 16_384;

/** @throws invalid, in moby's words where it has some (daemon/daemon_unix.go verifyPlatformContainerResources) */
export function checkLimits(limits: Partial<Limits>): void {
  for (const [what, value] of Object.entries(limits))
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) throw invalid(`invalid ${what}: ${value}`);
  const { memory = 0, nanoCpus = 0, storageSize = 0 } = limits;
  if (memory > 0 && memory < LEAST_MEMORY)
    throw invalid('Minimum memory limit allowed is 64KB', { hint: 'That is one page of WebAssembly memory.' });
  // Asking the host takes a tenth of a create.
  const cpus = nanoCpus > 0 ? hostInfo().cpus : Infinity;
  if (nanoCpus > cpus * 1e9)
    throw invalid(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  if (storageSize > 0 && storageSize < LEAST_STORAGE)
    throw invalid(`--storage-opt size: the smallest writable layer is 64KB, not ${storageSize} bytes`);
}

/** What a limit that was accepted cannot do here. */
export function limitWarnings({ nanoCpus = 0 }: Partial<Limits>): readonly string[] {
  if (nanoCpus === 0 || process.platform !== 'win32') return [];
  return ['--cpus is recorded, but has no effect on Windows: processes cannot be stopped and continued there'];
}

/** For every run in the container, its main one and those of exec. */
export const limitsOfRun = ({
  memory,
  pidsLimit = 0,
  openFiles = 0,
}: Limits): Pick<RunSpec, 'memoryLimit' | 'threadLimit' | 'descriptorLimit'> => ({
  ...(memory > 0 ? { memoryLimit: memory } : {}),
  ...(pidsLimit > 0 ? { threadLimit: pidsLimit } : {}),
  descriptorLimit: openFiles > 0 ? openFiles : OPEN_FILES,
});

/** Cores' time of a run; undefined = no limit. */
export const cpusOf = ({ nanoCpus }: Pick<Limits, 'nanoCpus'>): number | undefined =>
  nanoCpus > 0 ? nanoCpus / 1e9 : undefined;

/** The same as a part of a request. */
export const cpuLimit = (limits: Pick<Limits, 'nanoCpus'>): Pick<RunRequest, 'cpus'> => {
  const cpus = cpusOf(limits);
  return cpus === undefined ? {} : { cpus };
};
