import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  type Dirent,
} from 'node:fs';
import { codeOf, fsError } from './error.ts';
import { decodeName, encodeName } from './name-bytes.ts';
import { kindOfMode, toFileStat, type DirectoryEntry, type FileKind, type FileStat } from './stat.ts';
import { toSeconds } from './times.ts';

const O_PATH = 0o10000000;
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
/** Never wait for a pipe's other end, never become a terminal's owner, never pass a link. */
const GUARD = NOFOLLOW | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
/** What Node puts in place of bytes that are no UTF-8. */
const REPLACED = '\ufffd';
const exactly = { bigint: true } as const;
const exactlyIfThere = { bigint: true, throwIfNoEntry: false } as const;

/** True where a directory's descriptor can be walked through /proc (Linux with procfs). */
export const hasDescriptorPaths = process.platform === 'linux' && existsSync('/proc/self/fd');

/** File systems that hold ordinary files; elsewhere (devtmpfs, procfs, …) a name is looked at before it is opened: opening a device can do things. */
const ordinary = new Set([
  0xef53, 0x9123683e, 0x58465342, 0x2fc12fc1, 0x794c7630, 0x6969, 0xff534d42, 0xfe534d42, 0x4d44, 0x2011bab0,
  0x65735546, 0xf2f52010, 0x01021997,
]);
const ordinaryDevice = new Map<bigint, boolean>();
/** procfs: among its files are the memory and the descriptors of this very process. */
const PROC = 0x9fa0;

/**
 * One directory of the host, held so that nothing can be exchanged under it. Every call takes one name, never a path, and passes no link. There are
 * two kinds: on Linux an open descriptor, elsewhere a path whose every part is looked at before the call and, for opened files, after it.
 * Names are checked by the caller (walk.ts): not empty, no separator, no `.` or `..`.
 */
export abstract class HostDirectory {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly #ordinary: boolean;

  protected constructor(dev: bigint, ino: bigint, self: string) {
    this.dev = dev;
    this.ino = ino;
    this.#ordinary = isOrdinary(dev, self);
  }

  /** A path for one system call about the name. Throws ENOENT when the directory is no longer what it was. */
  abstract at(name: string): string | Buffer;
  /** A path for one system call about the directory itself. */
  abstract self(): string | Buffer;
  abstract stat(): FileStat;
  /** Changes whenever a name is added or removed; the kernel's ctime in milliseconds, which no one can set. */
  abstract changed(): number;
  /** The directory of that name; undefined when the name is something else. Throws ENOENT when there is none. */
  abstract child(name: string): HostDirectory | undefined;
  /** Tells a directory that is only known by its path where it is now. */
  abstract moved(parent: HostDirectory, name: string): void;
  abstract close(): void;
  /** Throws when what was opened is not what the name stood for. */
  protected abstract confirm(fd: number, name: string): void;

  lookup(name: string): FileStat | undefined {
    const stats = lstatSync(this.at(name), exactlyIfThere);
    return stats === undefined ? undefined : toFileStat(stats);
  }

  /** Opens a file, or a directory for reading. Never a link (ELOOP), never a device, pipe or socket (ENXIO). */
  open(name: string, flags: number, mode: number): { fd: number; isDirectory: boolean } {
    if (!this.#ordinary) {
      const before = this.lookup(name);
      if (before) refuseSpecial(before.kind, name);
    }
    const fd = openSync(this.at(name), flags | GUARD, mode);
    try {
      this.confirm(fd, name);
      const kind = kindOfMode(fstatSync(fd).mode);
      refuseSpecial(kind, name);
      return { fd, isDirectory: kind === 'directory' };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Opens for reading what is known to be a regular file because nothing in this directory ever changes. */
  openUnchanging(name: string): number {
    return openSync(this.at(name), constants.O_RDONLY | GUARD);
  }

  readLink(name: string): string {
    const path = this.at(name);
    const target = readlinkSync(path);
    // Perhaps a character that was there, perhaps bytes that are none.
    return target.includes(REPLACED) ? decodeName(readlinkSync(path, { encoding: 'buffer' })) : target;
  }

  list(): DirectoryEntry[] {
    const path = this.self();
    const entries = readdirSync(path, { withFileTypes: true });
    if (!entries.some((entry) => entry.name.includes(REPLACED)))
      return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    return readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map((entry) => ({
      name: decodeName(entry.name),
      kind: kindOf(entry),
    }));
  }

  isEmpty(): boolean {
    return readdirSync(this.self()).length === 0;
  }

  makeDirectory(name: string, mode: number): void {
    mkdirSync(this.at(name), { mode });
  }

  removeDirectory(name: string): void {
    rmdirSync(this.at(name));
  }

  unlink(name: string): void {
    unlinkSync(this.at(name));
  }

  /** `unlink` for marks that may or may not be there. */
  forget(name: string): void {
    try {
      unlinkSync(this.at(name));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  /** Makes a file that holds a text, unless it is there. */
  mark(name: string, text = ''): void {
    const fd = openSync(this.at(name), constants.O_WRONLY | constants.O_CREAT | GUARD, 0o644);
    try {
      if (text !== '') writeFileSync(fd, encodeName(text));
    } finally {
      closeSync(fd);
    }
  }

  symlink(name: string, target: string): void {
    symlinkSync(encodeName(target), this.at(name));
  }

  link(name: string, from: HostDirectory, fromName: string): void {
    linkSync(from.at(fromName), this.at(name));
  }

  rename(name: string, to: HostDirectory, toName: string): void {
    renameSync(this.at(name), to.at(toName));
  }

  /** Copies a regular file to a new name; shares blocks where the file system can. */
  copyTo(name: string, to: HostDirectory, toName: string): void {
    copyFileSync(this.at(name), to.at(toName), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }

  /** Also works on links, which are not followed. */
  setTimes(name: string, atime: bigint, mtime: bigint): void {
    lutimesSync(this.at(name), toSeconds(atime), toSeconds(mtime));
  }

  /** Sets the directory's own times. */
  setOwnTimes(atime: bigint, mtime: bigint): void {
    utimesSync(this.self(), toSeconds(atime), toSeconds(mtime));
  }

  chmodSelf(mode: number): void {
    chmodSync(this.self(), mode);
  }

  /** Files and directories only: permission bits of links mean nothing and setting them would follow the link. */
  chmod(name: string, mode: number): void {
    const { fd } = this.open(name, constants.O_RDONLY, 0);
    try {
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
  }
}

/** Linux: an O_PATH descriptor; children are reached through /proc/self/fd, so the kernel resolves exactly one name. */
class DescriptorDirectory extends HostDirectory {
  #fd: number;
  #prefix: string;

  constructor(fd: number) {
    const stats = fstatSync(fd, exactly);
    super(stats.dev, stats.ino, `/proc/self/fd/${fd}`);
    this.#fd = fd;
    this.#prefix = `/proc/self/fd/${fd}/`;
  }

  at(name: string): string | Buffer {
    if (this.#fd < 0) throw fsError('ENOENT', name);
    return encodeName(this.#prefix + name);
  }

  self(): string {
    if (this.#fd < 0) throw fsError('ENOENT', '.');
    return `${this.#prefix}.`;
  }

  stat(): FileStat {
    if (this.#fd < 0) throw fsError('ENOENT', '.');
    return toFileStat(fstatSync(this.#fd, exactly));
  }

  changed(): number {
    if (this.#fd < 0) throw fsError('ENOENT', '.');
    return fstatSync(this.#fd).ctimeMs;
  }

  child(name: string): HostDirectory | undefined {
    try {
      return held(openSync(this.at(name), O_PATH | constants.O_DIRECTORY | NOFOLLOW));
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ELOOP') return undefined;
      throw error;
    }
  }

  moved(): void {}
  protected confirm(): void {}

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** @throws EACCES for a directory that nobody may hold; the descriptor is closed then. */
function held(fd: number): DescriptorDirectory {
  try {
    return new DescriptorDirectory(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * How often a file that was opened by path is looked for again. Between two looks a directory can be exchanged and put back, so one look is not enough
 * (seen: one in some 10,000 tries against a process that does nothing else); each further one must be met by two exchanges within microseconds.
 */
const LOOKS = 4;

/**
 * macOS and Windows: a path. Before each call every part is looked at again, after opening the file several times more. Without descriptors a race cannot
 * be excluded, only made hopeless.
 */
class PathDirectory extends HostDirectory {
  #parent: PathDirectory | undefined;
  #path: string;
  #name: string;
  #closed = false;

  constructor(parent: PathDirectory | undefined, name: string, dev: bigint, ino: bigint) {
    super(dev, ino, parent ? `${parent.#where()}/${name}` : name);
    this.#parent = parent;
    this.#name = name;
    this.#path = name;
  }

  #where(): string {
    return this.#parent ? `${this.#parent.#where()}/${this.#name}` : this.#path;
  }

  #verify(): void {
    if (this.#parent) this.#parent.#verify();
    const stats = this.#closed ? undefined : lstatSync(encodeName(this.#where()), exactlyIfThere);
    if (!stats || !stats.isDirectory() || stats.ino !== this.ino || stats.dev !== this.dev)
      throw fsError('ENOENT', this.#name);
  }

  at(name: string): string | Buffer {
    this.#verify();
    return encodeName(`${this.#where()}/${name}`);
  }

  self(): string | Buffer {
    this.#verify();
    return encodeName(this.#where());
  }

  stat(): FileStat {
    return toFileStat(lstatSync(this.self(), exactly));
  }

  changed(): number {
    return lstatSync(this.self()).ctimeMs;
  }

  child(name: string): HostDirectory | undefined {
    const stats = lstatSync(this.at(name), exactly);
    return stats.isDirectory() ? new PathDirectory(this, name, stats.dev, stats.ino) : undefined;
  }

  moved(parent: HostDirectory, name: string): void {
    if (!(parent instanceof PathDirectory)) throw new Error('a path directory moved under another kind');
    this.#parent = parent;
    this.#name = name;
  }

  /** link(2) of some systems follows a link, and would give what it leads to a name in here. */
  override link(name: string, from: HostDirectory, fromName: string): void {
    const before = from.lookup(fromName);
    if (!before) throw fsError('ENOENT', fromName);
    if (before.kind === 'symlink') throw fsError('EPERM', fromName);
    super.link(name, from, fromName);
    const made = this.lookup(name);
    if (made?.ino === before.ino && made.dev === before.dev) return;
    this.forget(name);
    throw fsError('ENOENT', fromName);
  }

  protected confirm(fd: number, name: string): void {
    const opened = fstatSync(fd, exactly);
    for (let look = 0; look < LOOKS; look++) {
      const named = lstatSync(this.at(name), exactlyIfThere);
      if (!named) throw fsError('ENOENT', name);
      if (named.isSymbolicLink()) throw fsError('ELOOP', name);
      if (named.ino !== opened.ino || named.dev !== opened.dev) throw fsError('ENOENT', name);
    }
    this.#verify();
  }

  close(): void {
    this.#closed = true;
  }
}

/**
 * Opens a directory that the engine chose (links in this path are followed: the path is the user's own).
 * @param descriptors false to hold it by path even where descriptors could (tests of the other systems' way).
 */
export function openHostDirectory(path: string, descriptors: boolean = hasDescriptorPaths): HostDirectory {
  if (descriptors) return held(openSync(path, O_PATH | constants.O_DIRECTORY));
  const real = realpathSync(path);
  const stats = lstatSync(real, exactly);
  if (!stats.isDirectory()) throw fsError('ENOTDIR', path);
  return new PathDirectory(undefined, real, stats.dev, stats.ino);
}

function isOrdinary(dev: bigint, self: string): boolean {
  if (process.platform !== 'linux') return process.platform === 'win32';
  let known = ordinaryDevice.get(dev);
  if (known === undefined) {
    const { type } = statfsSync(encodeName(self));
    // Whoever mounts the host's root does not mean to hand over the process that guards it.
    if (type === PROC) throw fsError('EACCES', self);
    known = ordinary.has(type);
    ordinaryDevice.set(dev, known);
  }
  return known;
}

function refuseSpecial(kind: FileKind, name: string): void {
  if (kind !== 'file' && kind !== 'directory' && kind !== 'symlink') throw fsError('ENXIO', name);
}

function kindOf(entry: Dirent | Dirent<Buffer>): DirectoryEntry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symlink';
  if (entry.isFIFO()) return 'fifo';
  if (entry.isSocket()) return 'socket';
  return entry.isBlockDevice() ? 'block' : 'character';
}
