import { invalid } from '../../base/errors.ts';
import type { Fields } from './fields.ts';
import { parseSize } from './size.ts';

/** Memory in bytes, 0 = not asked for. @throws invalid */
export function readMemory(host: Fields): number | undefined {
  const memory = host.integer('Memory') ?? 0;
  if (memory < 0) throw invalid(`invalid memory limit: ${memory} bytes`);
  return memory || undefined;
}

/** NanoCpus, or the same said with quota and period (100 ms unless given). @throws invalid */
export function readNanoCpus(host: Fields): number | undefined {
  const nano = host.integer('NanoCpus') ?? 0;
  const quota = host.integer('CpuQuota') ?? 0;
  const period = host.integer('CpuPeriod') ?? 0;
  if (nano < 0) throw invalid(`invalid CPU limit: ${nano} NanoCpus`);
  if (nano > 0 && (quota > 0 || period > 0))
    throw invalid('Conflicting options: Nano CPUs and CPU Period or Quota cannot both be set');
  if (nano > 0) return nano;
  if (period < 0) throw invalid(`invalid CPU period: ${period}`);
  return quota > 0 ? Math.round((quota / (period || 100_000)) * 1e9) : undefined;
}

/** Threads; 0 = no limit, which is also what every negative number means. Undefined = not asked for. @throws invalid */
export function readPidsLimit(host: Fields): number | undefined {
  const limit = host.integer('PidsLimit');
  return limit === undefined ? undefined : Math.max(0, limit);
}

/** The soft limit of `--ulimit nofile=`; negative = as many as there can be. @throws invalid with the CLI's text */
export function readOpenFiles(host: Fields): number | undefined {
  let found: number | undefined;
  for (const { name, soft, hard } of ulimits(host)) {
    if (name === '') throw invalid('invalid ulimit: it has no name');
    if (hard >= 0 && (soft > hard || soft < 0))
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
    if (name === 'nofile') found = soft < 0 ? Number.MAX_SAFE_INTEGER : soft;
  }
  return found;
}

/** Names of `--ulimit` that nothing here can honour. */
export const ignoredUlimits = (host: Fields): readonly string[] =>
  ulimits(host).flatMap(({ name }) => (name === 'nofile' ? [] : [name]));

const ulimits = (host: Fields) =>
  host.list('Ulimits').map((limit) => ({
    name: limit.text('Name') ?? '',
    soft: limit.integer('Soft') ?? 0,
    hard: limit.integer('Hard') ?? 0,
  }));

/** `--storage-opt size=`: bytes of the writable layer; undefined = not asked for. @throws invalid */
export function readStorageSize(host: Fields): number | undefined {
  let size: number | undefined;
  for (const [key, value] of Object.entries(host.record('StorageOpt') ?? {})) {
    if (key.toLowerCase() !== 'size')
      throw invalid(`unknown option ${key} in --storage-opt`, { hint: 'There is one: size, for example size=100m.' });
    size = parseSize(value, 'invalid --storage-opt size');
  }
  return size || undefined;
}
