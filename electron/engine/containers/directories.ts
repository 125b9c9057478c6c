/**
 * The directories of containers: containers/ID/{record.json, upper/, logs/}. One appears by a rename when it is complete and goes by a rename, so no
 * half of it is ever found. Those of short runs are used again: making and deleting thousands of files in a loop is what ext4 is slow at, because it
 * scans past recently deleted inodes (reference runner.md §1).
 */
import { mkdirSync, readdirSync, renameSync, statSync, truncateSync, utimesSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from '../../base/log-format.ts';
import { asFull, writeWhole } from '../../platform/atomic-file.ts';
import { recordPath, type ContainerRecord } from './record.ts';

/** Spare directories kept: each holds an empty log, two empty directories and an old record or two. */
const spareLimit = 32;
/** Made ahead while nothing else is to be done, so that a create finds one. */
const spareGoal = 4;
const refillDelay = 50;
const firstSegment = segmentName(0);
const expected = new Set(['upper', 'logs', 'record.json', 'record.json.spare']);

export class ContainerDirectories {
  readonly #containers: string;
  readonly #tmp: string;
  readonly #spares: string[] = [];
  readonly #deleting = new Set<Promise<void>>();
  #refill: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(containers: string, tmp: string) {
    this.#containers = containers;
    this.#tmp = tmp;
    this.#refillSoon();
  }

  of(id: string): string {
    return join(this.#containers, id);
  }

  ids(): string[] {
    return readdirSync(this.#containers);
  }

  /** Makes containers/ID with its first record. @throws full; then nothing is left. */
  create(record: ContainerRecord): string {
    const path = this.of(record.id);
    const draft = this.#spares.pop() ?? this.#make(false);
    this.#refillSoon();
    try {
      // Nobody can find the draft, so writing over an old record is safe, and it spares an inode.
      writeWhole(recordPath(draft), JSON.stringify(record));
      renameSync(draft, path);
    } catch (error) {
      this.#delete(draft);
      throw asFull(error, path);
    }
    return path;
  }

  /** Out of sight at once. `reusable`: nobody reads its log any more. */
  remove(id: string, reusable: boolean): void {
    const away = join(this.#tmp, `container-${process.pid}-${this.#count++}`);
    renameSync(this.of(id), away);
    if (reusable && this.#spares.length < spareLimit && clean(away)) this.#spares.push(away);
    else this.#delete(away);
  }

  /** Moves a directory that cannot be understood out of the way; returns where to. */
  setAside(id: string, damaged: string): string {
    mkdirSync(damaged, { recursive: true });
    const path = join(damaged, `${id}-${Date.now()}`);
    renameSync(this.of(id), path);
    return path;
  }

  async close(): Promise<void> {
    clearTimeout(this.#refill);
    this.#refill = undefined;
    for (const spare of this.#spares.splice(0)) this.#delete(spare);
    await Promise.all(this.#deleting);
  }

  /** `ahead`: with the files that its first run would make otherwise. */
  #make(ahead: boolean): string {
    const path = join(this.#tmp, `container-${process.pid}-${this.#count++}`);
    try {
      mkdirSync(path);
      mkdirSync(join(path, 'upper'));
      if (!ahead) return path;
      mkdirSync(join(path, 'logs'));
      for (const name of [join('logs', firstSegment), 'record.json', 'record.json.spare'])
        writeWhole(join(path, name), '');
    } catch (error) {
      this.#delete(path);
      throw asFull(error, path);
    }
    return path;
  }

  /** One at a time, with time between: whoever creates many at once should not wait behind it. */
  #refillSoon(): void {
    if (this.#refill || this.#spares.length >= spareGoal) return;
    this.#refill = setTimeout(() => {
      this.#refill = undefined;
      try {
        this.#spares.push(this.#make(true));
      } catch {
        return; // A full disk: the create that needs one says so.
      }
      this.#refillSoon();
    }, refillDelay).unref();
  }

  #delete(path: string): void {
    const work = rm(path, { recursive: true, force: true })
      .catch(() => {
        // Busy (Windows) or gone: the next open sweeps tmp.
      })
      .finally(() => this.#deleting.delete(work));
    this.#deleting.add(work);
  }
}

/** Empties the log; true when the directory is then as good as new: nothing was ever written to its upper. */
function clean(path: string): boolean {
  try {
    if (!readdirSync(path).every((name) => expected.has(name))) return false;
    // A container that never ran is as cheap to make as to keep.
    const logs = readdirSync(join(path, 'logs'));
    if (logs.length !== 1 || logs[0] !== firstSegment) return false;
    const upper = join(path, 'upper');
    if (readdirSync(upper).length > 0) return false;
    const now = Date.now() / 1000;
    utimesSync(upper, now, now);
    const log = join(path, 'logs', firstSegment);
    if (statSync(log).size > 0) truncateSync(log, 0);
    return true;
  } catch {
    return false;
  }
}
