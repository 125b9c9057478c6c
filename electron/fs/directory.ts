import { fsError } from './error.ts';
import type { OpenFile, OpenHow } from './open-file.ts';
import type { Quota } from './quota.ts';
import type { DirectoryEntry, FileStat } from './stat.ts';
import type { ExactTimes, FileTimes } from './times.ts';

/** What is shared by all directories of one mount. Two directories are on the same mount when they have the same Volume object. */
export interface Volume {
  readonly type: 'overlay' | 'bind' | 'tmpfs';
  readonly readOnly: boolean;
  /** Pays for what is added; overlays only. */
  readonly quota?: Quota | undefined;
}

/** State of one mount table that its directories share. */
export interface TableState {
  readonly times: ExactTimes;
  /** Directories that hold descriptors, for eviction. */
  readonly open: Set<Directory>;
  /** Milliseconds (performance.now) when the running call began: what was seen less than a moment before needs no second look. */
  now: number;
  /** Of the overlay; closed with the table. */
  quota?: Quota;
}

/** How long (ms) a directory that was found by name is believed to be still there without looking. Other processes may rename under us. */
const BELIEVED = 2;

/** A single file of the host, mounted. */
export class MountedFile {
  readonly directory: Directory;
  readonly name: string;
  constructor(directory: Directory, name: string) {
    this.directory = directory;
    this.name = name;
  }
}

/**
 * A directory of the guest's tree. Calls take one name each. What was entered is remembered as a child, so that a path is usually resolved without a
 * system call; the remembered are moved on rename, dropped on rmdir, looked at again after a moment, and closed when there are too many.
 * Mount points lie over the names; nothing can remove, rename or replace them.
 */
export abstract class Directory {
  parent: Directory | undefined;
  name: string;
  readonly volume: Volume;
  protected readonly state: TableState;
  readonly #children = new Map<string, Directory>();
  #mounts: Map<string, Directory | MountedFile> | undefined;
  /** Open descriptors of guests and mounts that keep this directory alive. */
  #pins = 0;
  #attached = true;
  /** A mount lies on this directory or below it: it can be neither renamed, removed nor forgotten. */
  #carriesMount = false;
  #seen: number;
  used = 0;

  protected constructor(state: TableState, volume: Volume, parent: Directory | undefined, name: string) {
    this.state = state;
    this.volume = volume;
    this.parent = parent;
    this.name = name;
    this.#seen = state.now;
    this.used = state.now;
    state.open.add(this);
  }

  // What each kind of directory does about one name that is no mount point.
  abstract stat(): FileStat;
  protected abstract doLookup(name: string): FileStat | undefined;
  protected abstract doEnter(name: string): Directory | undefined;
  /** False when the child is no longer what its name stands for. */
  protected abstract doCheck(child: Directory): boolean;
  protected abstract doOpen(name: string, how: OpenHow): OpenFile | undefined;
  protected abstract doReadLink(name: string): string;
  protected abstract doList(): DirectoryEntry[];
  protected abstract doMakeDirectory(name: string, mode: number): void;
  protected abstract doRemoveDirectory(name: string): void;
  protected abstract doUnlink(name: string): void;
  protected abstract doSymlink(name: string, target: string): void;
  protected abstract doLink(name: string, from: Directory, fromName: string): void;
  protected abstract doRename(name: string, to: Directory, toName: string): void;
  protected abstract doSetTimes(name: string, times: FileTimes): void;
  protected abstract doChmod(name: string, mode: number): void;
  abstract setOwnTimes(times: FileTimes): void;
  abstract chmodSelf(mode: number): void;
  /** The child now has another name or parent. */
  protected abstract doMoved(child: Directory): void;
  protected abstract doClose(): void;

  /** Looks again whether other processes have put something over this directory. Only overlays have anything to do. */
  freshen(): void {}

  /** The stat of a name, links not followed; undefined when there is none. */
  lookup(name: string): FileStat | undefined {
    const mount = this.#mounts?.get(name);
    if (mount === undefined) return this.doLookup(name);
    return mount instanceof MountedFile ? mount.directory.lookup(mount.name) : mount.stat();
  }

  /** The directory of that name; undefined when the name is something else (a link, a file). Throws ENOENT when there is none. */
  enter(name: string): Directory | undefined {
    const mount = this.#mounts?.get(name);
    if (mount !== undefined) return mount instanceof MountedFile ? undefined : mount;
    const known = this.#children.get(name);
    if (known !== undefined) {
      if (this.state.now - known.#seen < BELIEVED || known.#carriesMount) {
        known.used = this.state.now;
        return known;
      }
      if (this.doCheck(known)) {
        known.#seen = known.used = this.state.now;
        return known;
      }
      this.#drop(known);
    }
    const child = this.doEnter(name);
    if (child !== undefined) this.#children.set(name, child);
    return child;
  }

  /** An open file; undefined when the name is a directory. Links give ELOOP. */
  open(name: string, how: OpenHow): OpenFile | undefined {
    const mount = this.#mounts?.get(name);
    if (mount === undefined) return this.doOpen(name, how);
    if (how.create && how.exclusive) throw fsError('EEXIST', name);
    return mount instanceof MountedFile ? mount.directory.open(mount.name, how) : undefined;
  }

  readLink(name: string): string {
    if (this.#mounts?.has(name)) throw fsError('EINVAL', name);
    return this.doReadLink(name);
  }

  /** Every name but `.` and `..`. */
  list(): DirectoryEntry[] {
    const entries = this.doList();
    if (this.#mounts === undefined) return entries;
    const mounts = this.#mounts;
    const rest = entries.filter((entry) => !mounts.has(entry.name));
    for (const [name, mount] of mounts)
      rest.push({ name, kind: mount instanceof MountedFile ? (this.lookup(name)?.kind ?? 'file') : 'directory' });
    return rest;
  }

  makeDirectory(name: string, mode: number): void {
    if (this.#mounts?.has(name)) throw fsError('EEXIST', name);
    this.doMakeDirectory(name, mode);
  }

  removeDirectory(name: string): void {
    this.#refuseMount(name);
    this.#refuseCarrier(name);
    this.doRemoveDirectory(name);
    const child = this.#children.get(name);
    if (child) this.#drop(child);
  }

  unlink(name: string): void {
    this.#refuseMount(name);
    this.doUnlink(name);
  }

  symlink(name: string, target: string): void {
    if (this.#mounts?.has(name)) throw fsError('EEXIST', name);
    this.doSymlink(name, target);
  }

  /** Makes `name` here another name of `fromName` in `from`. */
  link(name: string, from: Directory, fromName: string): void {
    if (this.#mounts?.has(name)) throw fsError('EEXIST', name);
    if (from.volume !== this.volume || from.#mounts?.has(fromName)) throw fsError('EXDEV', name);
    if (this.volume.readOnly) throw fsError('EROFS', name);
    this.doLink(name, from, fromName);
  }

  rename(name: string, to: Directory, toName: string): void {
    this.#refuseMount(name);
    to.#refuseMount(toName);
    if (to.volume !== this.volume) throw fsError('EXDEV', name);
    if (this.volume.readOnly) throw fsError('EROFS', name);
    this.#refuseCarrier(name);
    to.#refuseCarrier(toName);
    const moving = this.#children.get(name);
    for (let at: Directory | undefined = to; at && moving; at = at.parent)
      if (at === moving) throw fsError('EINVAL', toName);
    this.doRename(name, to, toName);
    if (this === to && name === toName) return;
    // Looked up again: the rename may itself have entered it.
    const child = this.#children.get(name);
    const replaced = to.#children.get(toName);
    if (replaced && replaced !== child) to.#drop(replaced);
    if (!child) return;
    this.#children.delete(name);
    child.parent = to;
    child.name = toName;
    to.#children.set(toName, child);
    to.doMoved(child);
  }

  setTimes(name: string, times: FileTimes): void {
    const mount = this.#mounts?.get(name);
    if (mount === undefined) this.doSetTimes(name, times);
    else if (mount instanceof MountedFile) mount.directory.setTimes(mount.name, times);
    else mount.setOwnTimes(times);
  }

  chmod(name: string, mode: number): void {
    const mount = this.#mounts?.get(name);
    if (mount === undefined) this.doChmod(name, mode);
    else if (mount instanceof MountedFile) mount.directory.chmod(mount.name, mode);
    else mount.chmodSelf(mode);
  }

  /** Puts a mount over the name (which need not exist: mount points are seen in `list` by themselves). */
  mount(name: string, what: Directory | MountedFile): void {
    const child = this.#children.get(name);
    if (child) this.#drop(child);
    this.#mounts ??= new Map();
    this.#mounts.set(name, what);
    if (what instanceof MountedFile) what.directory.pin();
    else {
      what.parent = this;
      what.name = name;
      what.pin();
    }
    this.pin();
    this.#carry();
  }

  isMountPoint(name: string): boolean {
    return this.#mounts?.has(name) === true;
  }

  /** Names of children that are open now, for directories that must tell them of a change. */
  protected *knownChildren(): Iterable<Directory> {
    yield* this.#children.values();
  }

  pin(): void {
    this.#pins += 1;
  }

  unpin(): void {
    this.#pins -= 1;
    if (this.#pins === 0 && !this.#attached) this.#shut();
  }

  /** True when nothing uses this directory and it can be opened again by name. */
  get evictable(): boolean {
    return this.#pins === 0 && this.#children.size === 0 && this.parent !== undefined;
  }

  /** Forgets and closes this directory; the next `enter` opens it again. */
  evict(): void {
    if (this.parent) this.parent.#drop(this);
  }

  /** Closes this directory whatever holds it; for the end of the table. */
  dispose(): void {
    this.#attached = false;
    this.#shut();
  }

  #carry(): void {
    this.#carriesMount = true;
    if (this.parent) this.parent.#carry();
  }

  /** Refuses to move or remove a directory that has a mount somewhere below it. */
  #refuseCarrier(name: string): void {
    const child = this.#children.get(name);
    if (child && child.#carriesMount) throw fsError('EBUSY', name);
  }

  #refuseMount(name: string): void {
    if (this.#mounts?.has(name)) throw fsError('EBUSY', name);
  }

  /** The name no longer stands for this child. It lives on while a guest holds it open. */
  #drop(child: Directory): void {
    if (this.#children.get(child.name) === child) this.#children.delete(child.name);
    child.#attached = false;
    for (const grandchild of [...child.#children.values()]) child.#drop(grandchild);
    if (child.#pins === 0) child.#shut();
  }

  #shut(): void {
    this.state.open.delete(this);
    this.doClose();
  }
}
