import { AbsentNames } from './absent.ts';
import { copyUpDirectory, copyUpFile, copyUpTree, removeTree } from './copy-up.ts';
import { Directory, type TableState, type Volume } from './directory.ts';
import { fsError } from './error.ts';
import type { HostDirectory } from './host-directory.ts';
import { HostFile, openFlags } from './host-file.ts';
import type { LowerDirectory } from './lower.ts';
import type { OpenFile, OpenHow } from './open-file.ts';
import { OverlayFile } from './overlay-file.ts';
import { costOfTree, dataCost, fileCost, NAME_COST, type Quota } from './quota.ts';
import { QuotaFile } from './quota-file.ts';
import type { DirectoryEntry, FileStat } from './stat.ts';
import type { FileTimes } from './times.ts';
import { hiddenBy, isLongWhiteout, isMark, OPAQUE, whiteoutOf, workName } from './whiteout.ts';

interface Found {
  readonly stat: FileStat;
  readonly upper: boolean;
}

/**
 * A directory that is the image's (lower, never written) with the container's changes (upper) laid over it. What is in upper wins, its whiteouts hide
 * names of lower, and a change to anything of lower first copies it up. `lower` is absent when upper hides all of it, `upper` until the first change.
 */
export class OverlayDirectory extends Directory {
  #upper: HostDirectory | undefined;
  #lower: LowerDirectory | undefined;
  #absent = new AbsentNames();

  constructor(
    state: TableState,
    volume: Volume,
    upper: HostDirectory | undefined,
    lower: LowerDirectory | undefined,
    parent?: Directory,
    name = '',
  ) {
    super(state, volume, parent, name);
    this.#upper = upper;
    this.#lower = lower;
  }

  stat(): FileStat {
    if (this.#upper) return this.state.times.exact(this.#upper.stat());
    if (!this.#lower) throw fsError('ENOENT', this.name);
    return this.#lower.stat();
  }

  /** Another process of the same container may have copied this directory up. */
  override freshen(): void {
    if (this.#upper || !(this.parent instanceof OverlayDirectory)) return;
    this.parent.freshen();
    const above = this.parent.#upper;
    if (above?.lookup(this.name)?.kind === 'directory' && !this.#isGone(above)) this.#upper = above.child(this.name);
  }

  /** Only for a directory that is all the image's: it was removed, whatever has its name now. Who holds it open finds it empty and makes nothing in it. */
  #isGone(above: HostDirectory): boolean {
    return above.lookup(whiteoutOf(this.name)) !== undefined;
  }

  #find(name: string): Found | undefined {
    if (isMark(name)) return undefined;
    const upper = this.#upper;
    const lower = this.#lower;
    // Remembered: lower never changes.
    const below = lower?.lookup(name);
    if (upper && !(below && this.#absent.has(name, upper))) {
      const stat = upper.lookup(name);
      if (stat) return { stat: this.state.times.exact(stat), upper: true };
      if (!below || upper.lookup(whiteoutOf(name))) return undefined;
      this.#absent.add(name);
    }
    if (below) return { stat: below, upper: false };
    if (upper) return undefined;
    // Before saying no: perhaps an upper has come into being.
    this.freshen();
    return this.#upper ? this.#find(name) : undefined;
  }

  protected doLookup(name: string): FileStat | undefined {
    return this.#find(name)?.stat;
  }

  protected doEnter(name: string): Directory | undefined {
    const found = this.#find(name);
    if (!found) throw fsError('ENOENT', name);
    if (found.stat.kind !== 'directory') return undefined;
    const upper = found.upper ? this.#upper?.child(name) : undefined;
    if (found.upper && !upper) return undefined;
    const hidden = upper && (upper.lookup(OPAQUE) ?? this.#upper?.lookup(whiteoutOf(name)));
    const lower = hidden ? undefined : this.#lower?.child(name);
    return new OverlayDirectory(this.state, this.volume, upper, lower, this, name);
  }

  protected doCheck(child: Directory): boolean {
    const { name } = child;
    const known = (child as OverlayDirectory).#upper;
    const upper = this.#upper;
    if (!upper) return !known;
    if (!known) return this.#absent.has(name, upper) || this.#find(name)?.upper === false;
    const stat = upper.lookup(name);
    return stat?.kind === 'directory' && stat.ino === known.ino && stat.dev === known.dev;
  }

  protected doOpen(name: string, how: OpenHow): OpenFile | undefined {
    // Nothing below: the kernel decides all of it in one call.
    if (this.#upper && !this.volume.readOnly && !isMark(name) && !this.#lower?.lookup(name))
      return this.#openUpper(name, how);
    const found = this.#find(name);
    if (found && how.create && how.exclusive) throw fsError('EEXIST', name);
    if (found?.stat.kind === 'directory') return undefined;
    if (found?.stat.kind === 'symlink') throw fsError('ELOOP', name);
    const changes = how.write || how.truncate === true;
    if (found && !found.upper && !changes) {
      if (found.stat.kind !== 'file') throw fsError('ENXIO', name);
      const fd = this.#lowerOf(name).open(name);
      return new OverlayFile(
        new HostFile(fd, how, this.state.times, this.volume.readOnly),
        found.stat,
        this,
        name,
        how,
      );
    }
    if (!found && !how.create) throw fsError('ENOENT', name);
    this.#mayCreate(name, changes || !found);
    if (found && !found.upper) this.#copyUp(name, found.stat, how.truncate !== true);
    const file = this.#openUpper(name, how);
    return file;
  }

  #openUpper(name: string, how: OpenHow): OpenFile | undefined {
    if (this.volume.quota && (how.write || how.create || how.truncate))
      return this.#openPaid(this.volume.quota, name, how);
    return this.#openHost(name, how);
  }

  #openHost(name: string, how: OpenHow): HostFile | undefined {
    const { fd, isDirectory } = this.ensureUpper().open(name, openFlags(how), how.mode ?? 0o644);
    const file = new HostFile(fd, how, this.state.times, this.volume.readOnly);
    if (!isDirectory) return file;
    file.close();
    return undefined;
  }

  #openPaid(quota: Quota, name: string, how: OpenHow): OpenFile | undefined {
    quota.begin();
    const before = this.ensureUpper().lookup(name);
    const open = (): HostFile | undefined => this.#openHost(name, how);
    const file = before || !how.create ? open() : quota.charge(NAME_COST, name, open);
    if (!file) return undefined;
    if (how.truncate && before?.kind === 'file') quota.give(dataCost(before.size));
    return how.write ? new QuotaFile(file, quota, name, how.append === true) : file;
  }

  /** Makes something that costs a name. */
  #named(name: string, make: () => void): void {
    const { quota } = this.volume;
    if (quota) quota.charge(NAME_COST, name, make);
    else make();
  }

  /** For a file that was opened for reading and now has its times or mode set: the copy in upper, opened the same way. */
  openCopy(name: string, how: OpenHow, was: FileStat): OpenFile {
    if (this.volume.readOnly) throw fsError('EROFS', name);
    const found = this.#find(name);
    const below = this.#lower?.lookup(name);
    if (!found || !below || below.ino !== was.ino) throw fsError('EPERM', name);
    if (!found.upper) this.#copyUp(name, found.stat, true);
    const file = this.#openUpper(name, { ...how, create: false, exclusive: false, truncate: false });
    if (!file) throw fsError('EISDIR', name);
    return file;
  }

  protected doReadLink(name: string): string {
    const found = this.#find(name);
    if (!found) throw fsError('ENOENT', name);
    return found.upper ? this.ensureUpper().readLink(name) : this.#lowerOf(name).readLink(name);
  }

  protected doList(): DirectoryEntry[] {
    this.freshen();
    const above = this.#upper?.list() ?? [];
    if (!this.#lower) return above.filter((entry) => !isMark(entry.name));
    if (above.length === 0) return this.#lower.list();
    const gone = new Set<string>();
    const long = new Set<string>();
    const entries: DirectoryEntry[] = [];
    for (const entry of above) {
      const hidden = hiddenBy(entry.name);
      if (hidden !== undefined) gone.add(hidden);
      else if (isLongWhiteout(entry.name)) long.add(entry.name);
      else if (!isMark(entry.name)) {
        gone.add(entry.name);
        entries.push(entry);
      }
    }
    for (const entry of this.#lower.list())
      if (!gone.has(entry.name) && !(long.size > 0 && long.has(whiteoutOf(entry.name)))) entries.push(entry);
    return entries;
  }

  protected doMakeDirectory(name: string, mode: number): void {
    if (this.#find(name)) throw fsError('EEXIST', name);
    this.#mayCreate(name, true);
    const upper = this.ensureUpper();
    this.#named(name, () => this.#makeUpperDirectory(upper, name, mode));
  }

  #makeUpperDirectory(upper: HostDirectory, name: string, mode: number): void {
    if (this.#lower?.lookup(name)?.kind === 'directory') {
      // It was deleted and comes back empty: opaque before it has its name, so that what lay below is never seen again.
      const work = workName();
      upper.makeDirectory(work, mode);
      const made = upper.child(work);
      made?.mark(OPAQUE);
      made?.close();
      try {
        upper.rename(work, upper, name);
      } catch (error) {
        // Another process was quicker.
        removeTree(upper, work);
        throw error;
      }
    } else upper.makeDirectory(name, mode);
  }

  protected doRemoveDirectory(name: string): void {
    const found = this.#find(name);
    if (!found) throw fsError('ENOENT', name);
    if (found.stat.kind !== 'directory') throw fsError('ENOTDIR', name);
    this.#mayCreate(name, true);
    this.#clear(name);
    this.#hide(name);
    if (!found.upper) return;
    this.ensureUpper().removeDirectory(name);
    this.volume.quota?.removed(found.stat);
  }

  protected doUnlink(name: string): void {
    const found = this.#find(name);
    if (!found) throw fsError('ENOENT', name);
    if (found.stat.kind === 'directory') throw fsError('EISDIR', name);
    this.#mayCreate(name, true);
    this.#hide(name);
    if (!found.upper) return;
    this.ensureUpper().unlink(name);
    this.volume.quota?.removed(found.stat);
  }

  protected doSymlink(name: string, target: string): void {
    if (this.#find(name)) throw fsError('EEXIST', name);
    this.#mayCreate(name, true);
    this.#named(name, () => this.ensureUpper().symlink(name, target));
  }

  protected doLink(name: string, from: Directory, fromName: string): void {
    const source = from as OverlayDirectory;
    const found = source.#find(fromName);
    if (!found) throw fsError('ENOENT', fromName);
    if (this.#find(name)) throw fsError('EEXIST', name);
    if (found.stat.kind === 'directory') throw fsError('EPERM', fromName);
    this.#mayCreate(name, true);
    if (!found.upper) source.#copyUp(fromName, found.stat, true);
    this.#named(name, () => this.ensureUpper().link(name, source.ensureUpper(), fromName));
  }

  protected doRename(name: string, target: Directory, toName: string): void {
    const to = target as OverlayDirectory;
    const from = this.#find(name);
    if (!from) throw fsError('ENOENT', name);
    const over = to.#find(toName);
    this.#mayCreate(name, true);
    to.#mayCreate(toName, true);
    if (this === to && name === toName) return;
    if (from.stat.kind === 'directory') {
      if (over && over.stat.kind !== 'directory') throw fsError('ENOTDIR', toName);
      for (let at: Directory | undefined = to; at instanceof OverlayDirectory; at = at.parent) {
        const here = at.stat();
        if (here.ino === from.stat.ino && here.dev === from.stat.dev) throw fsError('EINVAL', toName);
      }
      if (over) to.#clear(toName);
      this.#renameDirectory(name, to, toName, over?.upper === true);
      return;
    }
    if (over?.stat.kind === 'directory') throw fsError('EISDIR', toName);
    // Two names of one file: rename(2) does nothing.
    if (over && over.stat.ino === from.stat.ino && over.stat.dev === from.stat.dev) return;
    if (!from.upper) this.#copyUp(name, from.stat, true);
    this.#hide(name);
    this.ensureUpper().rename(name, to.ensureUpper(), toName);
    if (over?.upper) this.volume.quota?.removed(over.stat);
  }

  /** A directory that has a part in lower is copied up as a whole; its new place hides whatever lower has there. */
  #renameDirectory(name: string, to: OverlayDirectory, toName: string, replaces: boolean): void {
    const child = this.enter(name);
    if (!(child instanceof OverlayDirectory)) throw fsError('ENOTDIR', name);
    const opaque = to.#lower?.lookup(toName)?.kind === 'directory';
    const toUpper = to.ensureUpper();
    if (child.#lower) {
      const work = workName();
      const copy = (): void => {
        try {
          copyUpTree(child, toUpper, work, this.state.times);
        } catch (error) {
          removeTree(toUpper, work);
          throw error;
        }
      };
      const { quota } = this.volume;
      if (quota) quota.charge(NAME_COST + costOfMerged(child), name, copy);
      else copy();
      if (opaque) withChild(toUpper, work, (made) => made.mark(OPAQUE));
      if (replaces) {
        toUpper.removeDirectory(toName);
        quota?.give(NAME_COST);
      }
      toUpper.rename(work, toUpper, toName);
      this.#hide(name);
      if (child.#upper) {
        quota?.give(NAME_COST + costOfTree(child.#upper));
        removeTree(this.ensureUpper(), name);
      }
      const moved = toUpper.child(toName);
      if (moved) child.#becomes(moved);
      return;
    }
    if (opaque) child.ensureUpper().mark(OPAQUE);
    this.#hide(name);
    this.ensureUpper().rename(name, toUpper, toName);
    if (replaces) this.volume.quota?.give(NAME_COST);
  }

  /** All of this directory is in `upper` now. Directories below that someone holds open follow. */
  #becomes(upper: HostDirectory): void {
    this.#upper?.close();
    this.#lower?.close();
    this.#upper = upper;
    this.#lower = undefined;
    this.#absent = new AbsentNames();
    for (const child of this.knownChildren()) {
      const below = child instanceof OverlayDirectory ? upper.child(child.name) : undefined;
      if (below) (child as OverlayDirectory).#becomes(below);
    }
  }

  protected doSetTimes(name: string, times: FileTimes): void {
    const found = this.#find(name);
    if (!found) throw fsError('ENOENT', name);
    this.#mayCreate(name, true);
    if (found.stat.kind === 'directory') {
      const child = this.enter(name);
      if (!child) throw fsError('ENOENT', name);
      child.setOwnTimes(times);
      return;
    }
    if (!found.upper) this.#copyUp(name, found.stat, true);
    const upper = this.ensureUpper();
    const asked = { atime: times.atime ?? found.stat.atime, mtime: times.mtime ?? found.stat.mtime };
    upper.setTimes(name, asked.atime, asked.mtime);
    const after = upper.lookup(name);
    if (after) this.state.times.remember(after, asked);
  }

  protected doChmod(name: string, mode: number): void {
    const found = this.#find(name);
    if (!found) throw fsError('ENOENT', name);
    this.#mayCreate(name, true);
    if (found.stat.kind === 'directory') {
      this.enter(name)?.chmodSelf(mode);
      return;
    }
    if (!found.upper) this.#copyUp(name, found.stat, true);
    this.ensureUpper().chmod(name, mode);
  }

  setOwnTimes(times: FileTimes): void {
    this.#mayCreate(this.name, true);
    const before = this.stat();
    const upper = this.ensureUpper();
    const asked = { atime: times.atime ?? before.atime, mtime: times.mtime ?? before.mtime };
    upper.setOwnTimes(asked.atime, asked.mtime);
    this.state.times.remember(upper.stat(), asked);
  }

  chmodSelf(mode: number): void {
    this.#mayCreate(this.name, true);
    this.ensureUpper().chmodSelf(mode);
  }

  /** The directory in upper, made (with all above it) when this is the first change. */
  ensureUpper(): HostDirectory {
    if (this.#upper) return this.#upper;
    const { parent } = this;
    if (!(parent instanceof OverlayDirectory) || !this.#lower) throw fsError('ENOENT', this.name);
    const above = parent.ensureUpper();
    if (this.#isGone(above)) throw fsError('ENOENT', this.name);
    const lower = this.#lower;
    this.#named(this.name, () => (this.#upper = copyUpDirectory(lower.stat(), above, this.name, this.state.times)));
    if (!this.#upper) throw fsError('ENOENT', this.name);
    return this.#upper;
  }

  /** Where the container's own file of that name lies; undefined when the name is the image's. */
  upperOf(name: string): HostDirectory | undefined {
    return this.#find(name)?.upper ? this.#upper : undefined;
  }

  #copyUp(name: string, stat: FileStat, withData: boolean): void {
    const lower = this.#lowerOf(name);
    const upper = this.ensureUpper();
    const copy = (): void => copyUpFile(lower, stat, upper, name, withData, this.state.times);
    const { quota } = this.volume;
    if (quota) quota.charge(withData ? fileCost(stat) : NAME_COST, name, copy);
    else copy();
  }

  #lowerOf(name: string): LowerDirectory {
    if (!this.#lower) throw fsError('ENOENT', name);
    return this.#lower;
  }

  /** Refuses changes to a read-only root, and names that would be marks. What is there is counted before it changes. */
  #mayCreate(name: string, changes: boolean): void {
    if (changes && this.volume.readOnly) throw fsError('EROFS', name);
    if (isMark(name)) throw fsError('EPERM', name);
    if (changes) this.volume.quota?.begin();
  }

  /**
   * Makes lower's entry of that name invisible; before upper's own goes, so that the old one is never seen again. The whiteout stays when the name
   * comes back: if it went, another process that deletes the name just then would bring lower's entry back.
   */
  #hide(name: string): void {
    if (!this.#lower?.lookup(name)) return;
    const mark = whiteoutOf(name);
    this.ensureUpper().mark(mark, isLongWhiteout(mark) ? name : '');
  }

  /** Throws ENOTEMPTY when the directory has names; else removes the marks from its upper, so that the kernel finds it empty too. */
  #clear(name: string): void {
    const child = this.enter(name);
    if (!(child instanceof OverlayDirectory)) throw fsError('ENOTDIR', name);
    if (child.list().length > 0) throw fsError('ENOTEMPTY', name);
    if (!child.#upper) return;
    // Marks go, so the name itself must hide lower first.
    if (child.#lower) child.#upper.mark(OPAQUE);
    for (const entry of child.#upper.list()) if (entry.name !== OPAQUE) removeTree(child.#upper, entry.name);
    this.#hide(name);
    child.#upper.forget(OPAQUE);
    // Who holds it open must not find again what was deleted in it.
    child.#lower?.close();
    child.#lower = undefined;
  }

  protected doMoved(child: Directory): void {
    const moved = child as OverlayDirectory;
    if (this.#upper) moved.#upper?.moved(this.#upper, child.name);
  }

  protected doClose(): void {
    this.#upper?.close();
    this.#lower?.close();
  }
}

/** What a directory costs when all of it is copied up. */
function costOfMerged(directory: Directory): number {
  let cost = 0;
  for (const { name, kind } of directory.list()) {
    const stat = kind === 'directory' ? undefined : directory.lookup(name);
    cost += stat ? fileCost(stat) : NAME_COST;
    const below = kind === 'directory' ? directory.enter(name) : undefined;
    if (below) cost += costOfMerged(below);
  }
  return cost;
}

function withChild(directory: HostDirectory, name: string, action: (child: HostDirectory) => void): void {
  const child = directory.child(name);
  if (!child) throw fsError('ENOTDIR', name);
  try {
    action(child);
  } finally {
    child.close();
  }
}
