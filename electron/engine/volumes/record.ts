import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asFull, writeWhole } from '../../platform/atomic-file.ts';

/** What record.json of a volume holds. */
export interface VolumeRecord {
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
}

/** The volume appears whole: made in tmp, then renamed. @throws full */
export function writeVolume(volumes: string, tmp: string, record: VolumeRecord): void {
  const draft = join(tmp, `volume-${record.name}`);
  try {
    mkdirSync(join(draft, '_data'), { recursive: true });
    writeWhole(join(draft, 'record.json'), `${JSON.stringify(record)}\n`);
    renameSync(draft, join(volumes, record.name));
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw asFull(error, draft);
  }
}

/** Every volume on disk. `damaged` hears the directories whose record cannot be read; they stay where they are. */
export function readVolumes(volumes: string, damaged: (name: string, reason: string) => void): VolumeRecord[] {
  const found: VolumeRecord[] = [];
  for (const name of readdirSync(volumes)) {
    try {
      const value = JSON.parse(readFileSync(join(volumes, name, 'record.json'), 'utf8')) as Partial<VolumeRecord>;
      if (value.name !== name) throw new Error(`the record names ${JSON.stringify(value.name)}`);
      found.push({
        name,
        createdAt: String(value.createdAt ?? ''),
        labels: value.labels ?? {},
        options: value.options ?? {},
        anonymous: value.anonymous === true,
      });
    } catch (error) {
      damaged(name, error instanceof Error ? error.message : String(error));
    }
  }
  return found;
}
