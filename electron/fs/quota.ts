import { randomBytes } from 'node:crypto';
import { closeSync, constants, linkSync, openSync, readSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { codeOf, fsError } from './error.ts';
import type { HostDirectory } from './host-directory.ts';
import type { FileStat } from './stat.ts';
import { isMark } from './whiteout.ts';

/** What a quota is measured by: a file in which the processes that share the directory keep their accounts. */
export interface QuotaSpec {
  /** Bytes. */
  readonly limit: number;
  /** Absolute host path, in a directory that is there. The engine removes the file when nobody runs: the next user counts anew. */
  readonly ledger: string;
}

/** Bytes that a name costs besides its content, a directory's too. */
export const NAME_COST = 1024;
const BLOCK = 4096;

/** One account: whose it is (random), then the bytes it has added since it was opened, as a double; negative when more was removed. */
const ENTRY = 16;
const TAG = 8;
const nobody = Buffer.alloc(TAG);

/** What so many bytes of a file cost: whole blocks, holes included. */
export const dataCost = (size: number | bigint): number => Math.ceil(Number(size) / BLOCK) * BLOCK;

export const fileCost = ({ kind, size }: Pick<FileStat, 'kind' | 'size'>): number =>
  NAME_COST + (kind === 'file' ? dataCost(size) : 0);

const keyOf = ({ dev, ino }: Pick<FileStat, 'dev' | 'ino'>): string => `${dev}:${ino}`;

/** What everything below a directory costs (marks of an overlay are free); a file with many names has its content counted once. */
export function costOfTree(directory: HostDirectory, seen = new Set<string>()): number {
  let cost = 0;
  for (const { name } of directory.list()) {
    if (isMark(name)) continue;
    const stat = directory.lookup(name);
    if (!stat) continue;
    const again = stat.nlink > 1n && stat.kind === 'file' && seen.has(keyOf(stat));
    cost += again ? NAME_COST : fileCost(stat);
    if (stat.nlink > 1n) seen.add(keyOf(stat));
    const child = stat.kind === 'directory' ? directory.child(name) : undefined;
    if (!child) continue;
    try {
      cost += costOfTree(child, seen);
    } finally {
      child.close();
    }
  }
  return cost;
}

/**
 * The limit of what a directory may hold, shared by all processes that write there. The first that changes something counts what is there; from then on each
 * keeps its own account in the ledger, as exact at any moment as if it were killed at the next, and adds up everybody's before it takes more. Without a
 * lock: two processes that write at the same moment may together pass the limit by what these two calls write.
 */
export class Quota {
  readonly limit: number;
  readonly #ledger: string;
  readonly #root: HostDirectory;
  #file = -1;
  /** Where this process's account is. */
  #at = -1;
  #own = 0;
  #buffer = Buffer.alloc(32 * ENTRY);
  readonly #entry = Buffer.alloc(8);
  /** Files that are open, by device and inode; `orphaned`: their last name is gone, their bytes are given back when they are closed. */
  readonly #open = new Map<string, { count: number; orphaned: boolean }>();

  /** @param root the directory that is limited. */
  constructor({ limit, ledger }: QuotaSpec, root: HostDirectory) {
    this.limit = limit;
    this.#ledger = ledger;
    this.#root = root;
  }

  /** Bytes that may still be taken; may be less than nothing. */
  room(): number {
    this.begin();
    return this.limit - this.#sum();
  }

  /** @throws ENOSPC, and nothing is taken. */
  take(bytes: number, name: string): void {
    if (bytes > 0 && bytes > this.room()) throw fsError('ENOSPC', name);
    this.#add(bytes);
  }

  give(bytes: number): void {
    this.#add(-bytes);
  }

  /** Takes for something that is to be made; gives it back when that fails. */
  charge<T>(bytes: number, name: string, make: () => T): T {
    this.take(bytes, name);
    try {
      return make();
    } catch (error) {
      this.give(bytes);
      throw error;
    }
  }

  /** A file was opened through which it can grow. */
  opened(file: Pick<FileStat, 'dev' | 'ino'>): string {
    const key = keyOf(file);
    const known = this.#open.get(key);
    if (known) known.count++;
    else this.#open.set(key, { count: 1, orphaned: false });
    return key;
  }

  /** `size`: what the file has now. */
  closed(key: string, size: () => number): void {
    const known = this.#open.get(key);
    if (!known || --known.count > 0) return;
    this.#open.delete(key);
    if (known.orphaned) this.give(dataCost(size()));
  }

  /** One name of a file, link or empty directory is gone. */
  removed(was: FileStat): void {
    if (was.kind !== 'file') return this.give(NAME_COST);
    if (was.nlink > 1n) return this.give(NAME_COST);
    const known = this.#open.get(keyOf(was));
    if (known) known.orphaned = true;
    this.give(known ? NAME_COST : fileCost(was));
  }

  close(): void {
    if (this.#file < 0) return;
    closeSync(this.#file);
    this.#file = -1;
  }

  #add(bytes: number): void {
    if (bytes === 0) return;
    this.begin();
    this.#own += bytes;
    this.#entry.writeDoubleLE(this.#own);
    writeSync(this.#file, this.#entry, 0, 8, this.#at + TAG);
  }

  #sum(): number {
    const length = this.#read();
    let sum = 0;
    for (let at = 0; at + ENTRY <= length; at += ENTRY) sum += this.#buffer.readDoubleLE(at + TAG);
    return sum;
  }

  #read(): number {
    for (;;) {
      const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
      if (length < this.#buffer.length) return length;
      this.#buffer = Buffer.alloc(this.#buffer.length * 2);
    }
  }

  /** Opens this process's account, before it changes anything: what was there is counted by then. */
  begin(): void {
    if (this.#file >= 0) return;
    const tag = randomBytes(TAG);
    const appending = this.#openOrBegin();
    try {
      writeSync(appending, Buffer.concat([tag, Buffer.alloc(8)]));
    } finally {
      closeSync(appending);
    }
    this.#file = openSync(this.#ledger, constants.O_RDWR);
    const length = this.#read();
    for (this.#at = 0; this.#at < length; this.#at += ENTRY)
      if (this.#buffer.compare(tag, 0, TAG, this.#at, this.#at + TAG) === 0) return;
    throw fsError('EIO', this.#ledger);
  }

  /** The ledger, for appending. It appears under its name when what is there has been counted. */
  #openOrBegin(): number {
    const append = constants.O_WRONLY | constants.O_APPEND;
    try {
      return openSync(this.#ledger, append);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    const draft = `${this.#ledger}.${process.pid}.${randomBytes(4).toString('hex')}`;
    const first = Buffer.concat([nobody, Buffer.alloc(8)]);
    first.writeDoubleLE(costOfTree(this.#root), TAG);
    const file = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeSync(file, first);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(draft, this.#ledger);
      unlinkSync(draft);
    } catch (error) {
      // Another process of the same container was quicker, or the disk knows no links.
      if (codeOf(error) === 'EEXIST') unlinkSync(draft);
      else renameSync(draft, this.#ledger);
    }
    return openSync(this.#ledger, append);
  }
}
