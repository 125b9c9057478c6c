import { nowNano } from '../base/clock.ts';
import { Directory, type TableState, type Volume } from './directory.ts';
import { fsError } from './error.ts';
import { MemoryContent, MemoryLimit } from './memory-content.ts';
import { nameLength } from './name-bytes.ts';
import type { OpenFile, OpenHow } from './open-file.ts';
import type { DirectoryEntry, FileStat } from './stat.ts';
import type { FileTimes } from './times.ts';

/**
 * Bytes that a name costs besides its content: a guest that makes empty files for ever must meet a limit too. It is not the one of the content (as
 * tmpfs counts inodes apart from blocks), so that a file may be as large as `size` says.
 */
const NAME_COST = 1024;
const LEAST_NAMES = 1024 * NAME_COST;
const MAX_NAME = 255;

/** A tmpfs: memory only, with a limit. */
export class MemoryVolume implements Volume {
  readonly type = 'tmpfs';
  readonly readOnly: boolean;
  readonly limit: MemoryLimit;
  readonly names: MemoryLimit;
  readonly dev: bigint;
  #inode = 1n;
  static #devices = 0x7f00n;

  constructor(size: number, readOnly: boolean) {
    this.limit = new MemoryLimit(size);
    this.names = new MemoryLimit(Math.max(size, LEAST_NAMES));
    this.readOnly = readOnly;
    this.dev = MemoryVolume.#devices++;
  }

  nextInode(): bigint {
    return this.#inode++;
  }
}

/** A file, link or directory without its names. */
class MemoryNode {
  readonly kind: 'file' | 'symlink' | 'directory';
  readonly ino: bigint;
  readonly target: string;
  readonly content: MemoryContent | undefined;
  mode: number;
  links = 1;
  opens = 0;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;

  constructor(volume: MemoryVolume, kind: MemoryNode['kind'], mode: number, target = '') {
    this.kind = kind;
    this.ino = volume.nextInode();
    this.mode = mode;
    this.target = target;
    this.content = kind === 'file' ? new MemoryContent(volume.limit) : undefined;
    this.atime = this.mtime = this.ctime = nowNano();
  }

  stat(volume: MemoryVolume): FileStat {
    return {
      kind: this.kind,
      dev: volume.dev,
      ino: this.ino,
      nlink: BigInt(this.links),
      size: BigInt(this.content?.size ?? Buffer.byteLength(this.target)),
      mode: this.mode,
      uid: 0,
      gid: 0,
      atime: this.atime,
      mtime: this.mtime,
      ctime: this.ctime,
    };
  }

  touch(): void {
    this.mtime = this.ctime = nowNano();
  }

  set(times: FileTimes): void {
    this.atime = times.atime ?? this.atime;
    this.mtime = times.mtime ?? this.mtime;
    this.ctime = nowNano();
  }

  /** Memory is given back when neither a name nor a descriptor is left. */
  release(): void {
    if (this.links <= 0 && this.opens === 0) this.content?.resize(0);
  }
}

export class MemoryDirectory extends Directory {
  declare readonly volume: MemoryVolume;
  readonly #node: MemoryNode;
  readonly #entries = new Map<string, MemoryNode>();
  readonly #directories = new Map<string, MemoryDirectory>();
  #removed = false;

  constructor(state: TableState, volume: MemoryVolume, mode: number, parent?: Directory, name = '') {
    super(state, volume, parent, name);
    this.#node = new MemoryNode(volume, 'directory', mode);
    // It holds no descriptor: nothing to be gained by closing it.
    state.open.delete(this);
  }

  stat(): FileStat {
    return this.#node.stat(this.volume);
  }

  protected doLookup(name: string): FileStat | undefined {
    const directory = this.#directories.get(name);
    return directory ? directory.stat() : this.#entries.get(name)?.stat(this.volume);
  }

  protected doEnter(name: string): Directory | undefined {
    const directory = this.#directories.get(name);
    if (!directory && !this.#entries.has(name)) throw fsError('ENOENT', name);
    return directory;
  }

  protected doCheck(child: Directory): boolean {
    return this.#directories.get(child.name) === child;
  }

  protected doOpen(name: string, how: OpenHow): OpenFile | undefined {
    let node = this.#entries.get(name);
    const taken = node !== undefined || this.#directories.has(name);
    if (taken && how.create && how.exclusive) throw fsError('EEXIST', name);
    if (this.#directories.has(name)) return undefined;
    if (node?.kind === 'symlink') throw fsError('ELOOP', name);
    if (!node && !how.create) throw fsError('ENOENT', name);
    if (!node || how.write || how.truncate) this.#writable(name);
    if (!node) {
      this.#charge(name);
      node = new MemoryNode(this.volume, 'file', how.mode ?? 0o644);
      this.#entries.set(name, node);
      this.#node.touch();
    } else if (how.truncate) {
      node.content?.resize(0);
      node.touch();
    }
    return new MemoryFile(node, this.volume, how.append === true);
  }

  protected doReadLink(name: string): string {
    const node = this.#entries.get(name);
    if (!node && !this.#directories.has(name)) throw fsError('ENOENT', name);
    if (node?.kind !== 'symlink') throw fsError('EINVAL', name);
    return node.target;
  }

  protected doList(): DirectoryEntry[] {
    const entries: DirectoryEntry[] = [];
    for (const name of this.#directories.keys()) entries.push({ name, kind: 'directory' });
    for (const [name, node] of this.#entries) entries.push({ name, kind: node.kind });
    return entries;
  }

  protected doMakeDirectory(name: string, mode: number): void {
    this.#free(name);
    this.#directories.set(name, new MemoryDirectory(this.state, this.volume, mode, this, name));
  }

  protected doRemoveDirectory(name: string): void {
    const directory = this.#directories.get(name);
    if (!directory) throw fsError(this.#entries.has(name) ? 'ENOTDIR' : 'ENOENT', name);
    this.#writable(name);
    if (directory.#directories.size + directory.#entries.size > 0) throw fsError('ENOTEMPTY', name);
    this.#discard(name, directory);
    this.#node.touch();
  }

  #discard(name: string, directory: MemoryDirectory): void {
    this.#directories.delete(name);
    directory.#removed = true;
    directory.#node.links = 0;
    this.volume.names.give(NAME_COST);
  }

  protected doUnlink(name: string): void {
    const node = this.#entries.get(name);
    if (!node) throw fsError(this.#directories.has(name) ? 'EISDIR' : 'ENOENT', name);
    this.#writable(name);
    this.#remove(name, node);
    this.#node.touch();
  }

  #remove(name: string, node: MemoryNode): void {
    this.#entries.delete(name);
    node.links -= 1;
    node.ctime = nowNano();
    node.release();
    this.volume.names.give(NAME_COST + node.target.length);
  }

  protected doSymlink(name: string, target: string): void {
    this.#free(name, target.length);
    this.#entries.set(name, new MemoryNode(this.volume, 'symlink', 0o777, target));
  }

  protected doLink(name: string, from: Directory, fromName: string): void {
    const source = from as MemoryDirectory;
    const node = source.#entries.get(fromName);
    const directory = source.#directories.has(fromName);
    if (!node && !directory) throw fsError('ENOENT', fromName);
    if (this.doLookup(name)) throw fsError('EEXIST', name);
    if (!node) throw fsError('EPERM', fromName);
    this.#free(name, node.target.length);
    node.links += 1;
    node.ctime = nowNano();
    this.#entries.set(name, node);
  }

  protected doRename(name: string, target: Directory, toName: string): void {
    const to = target as MemoryDirectory;
    const node = this.#entries.get(name);
    const directory = this.#directories.get(name);
    if (!node && !directory) throw fsError('ENOENT', name);
    if (to.#removed) throw fsError('ENOENT', toName);
    if (nameLength(toName) > MAX_NAME) throw fsError('ENAMETOOLONG', toName);
    if (this === to && name === toName) return;
    const overNode = to.#entries.get(toName);
    const overDirectory = to.#directories.get(toName);
    if (directory) {
      if (overNode) throw fsError('ENOTDIR', toName);
      for (let at: Directory | undefined = to; at; at = at.parent)
        if (at === directory) throw fsError('EINVAL', toName);
      if (overDirectory) {
        if (overDirectory.list().length > 0) throw fsError('ENOTEMPTY', toName);
        to.#discard(toName, overDirectory);
      }
      this.#directories.delete(name);
      to.#directories.set(toName, directory);
      directory.parent = to;
      directory.name = toName;
    } else if (node) {
      if (overDirectory) throw fsError('EISDIR', toName);
      if (overNode === node) return;
      if (overNode) to.#remove(toName, overNode);
      this.#entries.delete(name);
      to.#entries.set(toName, node);
      node.ctime = nowNano();
    }
    this.#node.touch();
    to.#node.touch();
  }

  protected doSetTimes(name: string, times: FileTimes): void {
    const node = this.#nodeOf(name);
    if (!node) throw fsError('ENOENT', name);
    this.#writable(name);
    node.set(times);
  }

  protected doChmod(name: string, mode: number): void {
    const node = this.#nodeOf(name);
    if (!node) throw fsError('ENOENT', name);
    this.#writable(name);
    node.mode = mode;
    node.ctime = nowNano();
  }

  setOwnTimes(times: FileTimes): void {
    this.#writable(this.name);
    this.#node.set(times);
  }

  chmodSelf(mode: number): void {
    this.#writable(this.name);
    this.#node.mode = mode;
  }

  protected doMoved(): void {}
  protected doClose(): void {}

  #nodeOf(name: string): MemoryNode | undefined {
    const directory = this.#directories.get(name);
    return directory ? directory.#node : this.#entries.get(name);
  }

  #writable(name: string): void {
    if (this.volume.readOnly) throw fsError('EROFS', name);
  }

  /** The name can be made here, and is paid for. */
  #free(name: string, more = 0): void {
    if (this.doLookup(name)) throw fsError('EEXIST', name);
    this.#writable(name);
    this.#charge(name, more);
    this.#node.touch();
  }

  #charge(name: string, more = 0): void {
    if (this.#removed) throw fsError('ENOENT', name);
    if (nameLength(name) > MAX_NAME) throw fsError('ENAMETOOLONG', name);
    this.volume.names.take(NAME_COST + more);
  }
}

class MemoryFile implements OpenFile {
  readonly #node: MemoryNode;
  readonly #content: MemoryContent;
  readonly #volume: MemoryVolume;
  #append: boolean;
  #open = true;

  constructor(node: MemoryNode, volume: MemoryVolume, append: boolean) {
    if (!node.content) throw fsError('EINVAL', '');
    this.#node = node;
    this.#content = node.content;
    this.#volume = volume;
    this.#append = append;
    node.opens += 1;
  }

  stat(): FileStat {
    return this.#node.stat(this.#volume);
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#content.read(into.subarray(offset, offset + length), position);
  }

  readMany(into: readonly Uint8Array[], position: number): number {
    let done = 0;
    for (const part of into) {
      const read = this.#content.read(part, position + done);
      done += read;
      if (read < part.length) break;
    }
    return done;
  }

  write(from: Uint8Array, offset: number, length: number, position: number): number {
    const start = this.#append ? this.#content.size : position;
    const written = this.#content.write(from.subarray(offset, offset + length), start);
    this.#node.touch();
    return written;
  }

  writeMany(from: readonly Uint8Array[], position: number): number {
    let start = this.#append ? this.#content.size : position;
    let done = 0;
    for (const part of from) {
      try {
        done += this.#content.write(part, start);
      } catch (error) {
        if (done === 0) throw error;
        break;
      }
      start += part.length;
    }
    this.#node.touch();
    return done;
  }

  resize(size: number): void {
    this.#content.resize(size);
    this.#node.touch();
  }

  allocate(offset: number, length: number): void {
    this.#content.fill(offset + length);
    this.#node.touch();
  }

  sync(): void {}

  setTimes(times: FileTimes): void {
    if (this.#volume.readOnly) throw fsError('EROFS', '');
    this.#node.set(times);
  }

  chmod(mode: number): void {
    if (this.#volume.readOnly) throw fsError('EROFS', '');
    this.#node.mode = mode;
  }

  setAppend(append: boolean): void {
    this.#append = append;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#node.opens -= 1;
    this.#node.release();
  }
}
