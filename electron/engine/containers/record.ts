/** What is kept of a container on disk: containers/ID/record.json, whole or absent at any moment. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rewriteFileAtomically } from '../../platform/atomic-file.ts';
import type { ContainerConfig, ContainerMount, ContainerState, OutboundRules } from '../api/index.ts';

export const never = '0001-01-01T00:00:00Z';

/** A network that the container is to be on; an address is given at each start. */
export interface NetworkSetting {
  /** The id once the network was found, else the name as given. */
  readonly network: string;
  readonly name: string;
  readonly aliases: readonly string[];
  /** Asked for; absent = any free one. */
  readonly ipv4Address?: string;
}

export interface ContainerRecord {
  readonly layout: 1;
  readonly id: string;
  readonly name: string;
  /** RFC 3339 with nanoseconds, as all times here. */
  readonly created: string;
  readonly imageId: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly config: ContainerConfig;
  readonly mounts: readonly ContainerMount[];
  readonly networks: readonly NetworkSetting[];
  /** Outbound rules; absent = as the label says. */
  readonly outbound?: OutboundRules;
  readonly warnings: readonly string[];
  /** rows, columns. */
  readonly consoleSize: readonly [number, number];
  /** 'removing' is never written. */
  readonly state: ContainerState;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** How often it was started: makes the ids of runs unique. */
  readonly starts: number;
  /** By stop or kill, since the last start: a restart policy then has no say. */
  readonly stoppedByUser: boolean;
}

export const recordPath = (directory: string): string => join(directory, 'record.json');

/** @throws full */
export function writeRecord(directory: string, record: ContainerRecord): void {
  rewriteFileAtomically(recordPath(directory), JSON.stringify(record));
}

/** @throws Error that says what is wrong with the record */
export function readRecord(directory: string, id: string): ContainerRecord {
  const value = JSON.parse(readFileSync(recordPath(directory), 'utf8')) as Partial<ContainerRecord> | null;
  if (!value || value.layout !== 1) throw new Error(`layout ${JSON.stringify(value?.layout)} is not known`);
  if (value.id !== id) throw new Error(`it names the container ${JSON.stringify(value.id)}`);
  for (const key of ['name', 'created', 'imageId', 'path', 'state', 'startedAt', 'finishedAt'] as const)
    if (typeof value[key] !== 'string') throw new Error(`${key} is missing`);
  for (const key of ['args', 'mounts', 'networks'] as const)
    if (!Array.isArray(value[key])) throw new Error(`${key} is missing`);
  if (typeof value.config !== 'object' || typeof value.exitCode !== 'number') throw new Error('it is incomplete');
  return value as ContainerRecord;
}
