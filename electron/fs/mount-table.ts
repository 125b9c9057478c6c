import { realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { BindDirectory } from './bind.ts';
import { MountedFile, type Directory, type TableState, type Volume } from './directory.ts';
import { fsError, toFsError } from './error.ts';
import { hasDescriptorPaths, openHostDirectory } from './host-directory.ts';
import { LowerDirectory } from './lower.ts';
import { MemoryDirectory, MemoryVolume } from './memory.ts';
import type { BindMount, MountSpec } from './mounts.ts';
import type { OpenFile, OpenHow } from './open-file.ts';
import { OverlayDirectory } from './overlay.ts';
import { readProgram, type Program } from './program.ts';
import { Quota } from './quota.ts';
import type { DirectoryEntry, FileStat } from './stat.ts';
import { ExactTimes, type FileTimes } from './times.ts';
import { Walk } from './walk.ts';

/** A tmpfs without a size, in bytes. */
const TMPFS_SIZE = 512 * 1024 * 1024;
/** Directories kept open at a time; each holds one or two descriptors of this process. */
const KEPT_OPEN = 192;

/** What `open` gives: a file, or a directory, which is pinned and must be given back with `release`. */
export type Opened = { readonly file: OpenFile } | { readonly directory: Directory };

export interface Follow {
  /** Follow a link that the last name is. */
  readonly follow: boolean;
}

/**
 * The file system of one container: what its guests, and cp, diff and commit, see. Paths start at `at` (a directory got from `root` or `open`) or, when
 * they begin with a separator, at the root. No call waits, and every call throws FsError with the guest path or does what it says. Nothing outside
 * of the mounts is ever reached (walk.ts, host-directory.ts).
 */
export class MountTable {
  readonly root: Directory;
  readonly #state: TableState;
  #closed = false;
  /** Calls since it last looked for directories to close. */
  #unlooked = 0;

  constructor(root: Directory, state: TableState) {
    this.root = root;
    this.#state = state;
  }

  stat(at: Directory, path: string, { follow }: Follow): FileStat {
    return this.#walk(at, path, (walk) => this.#found(walk, follow));
  }

  /** Like `stat`, but undefined when there is no such name; other errors are thrown. */
  find(at: Directory, path: string, options: Follow): FileStat | undefined {
    try {
      return this.stat(at, path, options);
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Opens a file or directory. `onlyDirectory`: ENOTDIR for anything else. A directory cannot be opened for writing (EISDIR). */
  open(at: Directory, path: string, how: OpenHow & Follow & { readonly onlyDirectory?: boolean }): Opened {
    return this.#walk(at, path, (walk) => {
      for (;;) {
        const { directory, name } = walk;
        if (name === '') return this.#openDirectory(directory, how, path);
        if (how.onlyDirectory || walk.slash) {
          const next = directory.enter(name);
          if (next) return this.#openDirectory(next, how, path);
          if (directory.lookup(name)?.kind !== 'symlink' || !(how.follow || walk.slash)) throw fsError('ENOTDIR', path);
          walk.follow();
          continue;
        }
        let file: OpenFile | undefined;
        try {
          file = directory.open(name, how);
        } catch (error) {
          // The kernel's way of saying that this is a link.
          if ((error as { code?: string }).code !== 'ELOOP' || !how.follow || (how.create && how.exclusive))
            throw error;
          walk.follow();
          continue;
        }
        if (file) return { file };
        const entered = directory.enter(name);
        if (!entered) throw fsError('ENOENT', path);
        return this.#openDirectory(entered, how, path);
      }
    });
  }

  #openDirectory(directory: Directory, how: OpenHow, path: string): Opened {
    if (how.create && how.exclusive) throw fsError('EEXIST', path);
    if (how.write || how.create || how.truncate) throw fsError('EISDIR', path);
    directory.pin();
    return { directory };
  }

  /** Gives back a directory that `open` gave. */
  release(directory: Directory): void {
    directory.unpin();
  }

  readLink(at: Directory, path: string): string {
    return this.#walk(at, path, (walk) => {
      if (walk.name === '') throw fsError('EINVAL', path);
      if (walk.slash) throw fsError('ENOTDIR', path);
      if (!walk.directory.lookup(walk.name)) throw fsError('ENOENT', path);
      return walk.directory.readLink(walk.name);
    });
  }

  /** Every name in the directory but `.` and `..`, in no order. */
  list(directory: Directory): DirectoryEntry[] {
    this.#begin();
    try {
      return directory.list();
    } catch (error) {
      throw toFsError(error, directory.name);
    }
  }

  makeDirectory(at: Directory, path: string, mode = 0o755): void {
    this.#walk(at, path, (walk) => {
      if (walk.name === '') throw fsError('EEXIST', path);
      walk.directory.makeDirectory(walk.name, mode);
    });
  }

  removeDirectory(at: Directory, path: string): void {
    this.#walk(at, path, (walk) => {
      if (walk.name === '') throw fsError(walk.directory === this.root ? 'EBUSY' : 'EINVAL', path);
      walk.directory.removeDirectory(walk.name);
    });
  }

  unlink(at: Directory, path: string): void {
    this.#walk(at, path, (walk) => {
      if (walk.name === '') throw fsError('EISDIR', path);
      const found = walk.slash ? walk.directory.lookup(walk.name) : undefined;
      if (walk.slash && !found) throw fsError('ENOENT', path);
      if (found && found.kind !== 'directory') throw fsError('ENOTDIR', path);
      walk.directory.unlink(walk.name);
    });
  }

  symlink(target: string, at: Directory, path: string): void {
    this.#walk(at, path, (walk) => {
      if (walk.name === '') throw fsError('EEXIST', path);
      if (target === '') throw fsError('ENOENT', path);
      if (target.includes('\0')) throw fsError('EILSEQ', path);
      if (walk.slash) throw fsError(walk.directory.lookup(walk.name) ? 'EEXIST' : 'ENOENT', path);
      walk.directory.symlink(walk.name, target);
    });
  }

  link(at: Directory, path: string, { follow }: Follow, to: Directory, toPath: string): void {
    this.#walk(at, path, (walk) => {
      for (;;) {
        if (walk.name === '') throw fsError('EPERM', path);
        if (!follow && !walk.slash) break;
        const found = walk.directory.lookup(walk.name);
        if (!found) throw fsError('ENOENT', path);
        if (found.kind !== 'symlink') {
          if (walk.slash && found.kind !== 'directory') throw fsError('ENOTDIR', path);
          break;
        }
        walk.follow();
      }
      const target = new Walk(this.root, to, toPath);
      if (target.name === '') throw fsError('EEXIST', toPath);
      if (target.slash && !target.directory.lookup(target.name)) throw fsError('ENOENT', toPath);
      target.directory.link(target.name, walk.directory, walk.name);
    });
  }

  rename(at: Directory, path: string, to: Directory, toPath: string): void {
    this.#walk(at, path, (walk) => {
      const target = new Walk(this.root, to, toPath);
      if (walk.name === '' || target.name === '') throw fsError('EBUSY', path);
      if (walk.slash || target.slash) {
        const found = walk.directory.lookup(walk.name);
        if (!found) throw fsError('ENOENT', path);
        if (found.kind !== 'directory') throw fsError('ENOTDIR', path);
      }
      walk.directory.rename(walk.name, target.directory, target.name);
    });
  }

  setTimes(at: Directory, path: string, times: FileTimes, { follow }: Follow): void {
    this.#walk(at, path, (walk) => {
      this.#found(walk, follow);
      if (walk.name === '') walk.directory.setOwnTimes(times);
      else walk.directory.setTimes(walk.name, times);
    });
  }

  /** Permission bits; follows links. */
  chmod(at: Directory, path: string, mode: number): void {
    this.#walk(at, path, (walk) => {
      this.#found(walk, true);
      if (walk.name === '') walk.directory.chmodSelf(mode);
      else walk.directory.chmod(walk.name, mode);
    });
  }

  /** A module to run: a key that changes with its bytes, and the bytes when they are needed. */
  openProgram(path: string): Program {
    return readProgram(() => {
      const opened = this.open(this.root, path, { read: true, write: false, follow: true });
      if ('file' in opened) return opened.file;
      this.release(opened.directory);
      throw fsError('EISDIR', path);
    }, path);
  }

  /** Closes every descriptor. Later calls throw. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const directory of [...this.#state.open]) directory.dispose();
    this.#state.open.clear();
    this.#state.quota?.close();
  }

  /** Moves the walk to where its last name is no link (when it is to be followed) and gives its stat. */
  #found(walk: Walk, follow: boolean): FileStat {
    for (;;) {
      if (walk.name === '') return walk.directory.stat();
      const stat = walk.directory.lookup(walk.name);
      if (!stat) throw fsError('ENOENT', walk.path);
      if (stat.kind === 'symlink' && (follow || walk.slash)) {
        walk.follow();
        continue;
      }
      if (walk.slash && stat.kind !== 'directory') throw fsError('ENOTDIR', walk.path);
      return stat;
    }
  }

  #walk<T>(at: Directory, path: string, action: (walk: Walk) => T): T {
    this.#begin();
    // System errors made on the way carry a stack that nobody sees and that costs as much as the call.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return action(new Walk(this.root, at, path));
    } catch (error) {
      throw toFsError(error, path);
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  #begin(): void {
    if (this.#closed) throw fsError('EBADF', '/');
    const { open } = this.#state;
    this.#state.now = performance.now();
    // To look takes time for each of them, and what guests hold cannot be closed: so not at every call.
    if (open.size <= KEPT_OPEN || ++this.#unlooked < open.size / 16) return;
    this.#unlooked = 0;
    this.#evict();
  }

  /** Closes what was used longest ago, from the leaves up: a directory stays as long as one below it does. */
  #evict(): void {
    const { open } = this.#state;
    const idle = [...open].filter((directory) => directory.evictable).sort((a, b) => a.used - b.used);
    for (const leaf of idle)
      for (let at: Directory | undefined = leaf; at?.evictable && open.size > KEPT_OPEN / 2;) {
        const { parent }: Directory = at;
        at.evict();
        at = parent;
      }
  }
}

/**
 * Opens the mounts of a container. Mount points that are not there are made, as Docker makes them: in the container's upper, in a writable bind, in a
 * tmpfs; under a read-only bind they exist in memory only.
 * @param specs exactly one overlay, at '/'.
 * @param descriptors false to hold host directories by path where descriptors could be used (tests of the other systems' way).
 * @throws FsError when a source is not there or is no directory or file.
 */
export function openMountTable(
  specs: readonly MountSpec[],
  { descriptors = hasDescriptorPaths }: { readonly descriptors?: boolean } = {},
): MountTable {
  const state: TableState = { times: new ExactTimes(), open: new Set(), now: performance.now() };
  const base = specs.find((spec) => spec.type === 'overlay');
  if (!base || specs.filter((spec) => spec.target === '/').length !== 1) throw fsError('EINVAL', '/');
  const source = <T>(path: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw toFsError(error, path);
    }
  };
  const upper = source(base.upper, () => openHostDirectory(base.upper, descriptors));
  const lower = source(base.lower, () => openHostDirectory(base.lower, descriptors));
  // Mount points are made in the upper even when the guest may not write there.
  const volume: { type: 'overlay'; readOnly: boolean; quota?: Quota } = { type: 'overlay', readOnly: false };
  const root = new OverlayDirectory(state, volume, upper, new LowerDirectory(lower, { names: 0 }));
  root.pin();
  const table = new MountTable(root, state);
  try {
    // Outer mounts first, so that inner ones lie in them.
    const rest = specs.filter((spec) => spec !== base).sort((a, b) => a.target.length - b.target.length);
    for (const spec of rest) {
      const mounted = source(spec.target, () => openMount(spec, state, descriptors));
      const place = placeFor(root, spec.target, mounted instanceof MountedFile, state);
      place.directory.mount(place.name, mounted);
    }
    volume.readOnly = base.readOnly;
    if (base.quota) volume.quota = state.quota = new Quota(base.quota, upper);
  } catch (error) {
    table.close();
    throw error;
  }
  return table;
}

function openMount(spec: MountSpec, state: TableState, descriptors: boolean): Directory | MountedFile {
  switch (spec.type) {
    case 'overlay':
      throw fsError('EINVAL', spec.target);
    case 'tmpfs':
      return new MemoryDirectory(state, new MemoryVolume(spec.size ?? TMPFS_SIZE, spec.readOnly), spec.mode ?? 0o1777);
    case 'bind':
      return openBind(spec, state, descriptors);
  }
}

function openBind(spec: BindMount, state: TableState, descriptors: boolean): Directory | MountedFile {
  const volume: Volume = { type: 'bind', readOnly: spec.readOnly };
  const real = realpathSync(spec.source);
  if (statSync(real).isDirectory()) return new BindDirectory(state, volume, openHostDirectory(real, descriptors));
  const holder = new BindDirectory(state, volume, openHostDirectory(dirname(real), descriptors));
  return new MountedFile(holder, basename(real));
}

/** The directory and name a mount goes to, with links followed inside of the container and what is missing made. */
function placeFor(
  root: Directory,
  target: string,
  isFile: boolean,
  state: TableState,
): { directory: Directory; name: string } {
  const walked: string[] = [];
  const names = target.split('/').filter((name) => name !== '');
  let directory = root;
  for (;;) {
    const name = names.shift();
    if (name === undefined || name === '.' || name === '..') throw fsError('EINVAL', target);
    const last = names.length === 0;
    const there = directory.lookup(name);
    if (there?.kind === 'symlink') {
      const walk = new Walk(root, directory, name);
      walk.follow();
      if (walk.name === '' || walk.directory.lookup(walk.name)?.kind === 'symlink') throw fsError('ELOOP', target);
      directory = walk.directory;
      names.unshift(walk.name);
      if (walked.push(name) > 40) throw fsError('ELOOP', target);
      continue;
    }
    if (last) {
      if (!there) makePlace(directory, name, isFile);
      return { directory, name };
    }
    if (!there && !makePlace(directory, name, false)) {
      const placeholder = new MemoryDirectory(state, new MemoryVolume(0, true), 0o755);
      directory.mount(name, placeholder);
      directory = placeholder;
      continue;
    }
    const next = directory.enter(name);
    if (!next) throw fsError('ENOTDIR', target);
    directory = next;
  }
}

/** Makes the mount point; false where nothing may be made (it then is seen only because something is mounted there). */
function makePlace(directory: Directory, name: string, isFile: boolean): boolean {
  if (directory.volume.readOnly) return false;
  if (!isFile) directory.makeDirectory(name, 0o755);
  else directory.open(name, { read: false, write: true, create: true, exclusive: true })?.close();
  return true;
}
