import { Directory, type TableState, type Volume } from './directory.ts';
import { fsError } from './error.ts';
import type { HostDirectory } from './host-directory.ts';
import { HostFile, openFlags } from './host-file.ts';
import type { OpenFile, OpenHow } from './open-file.ts';
import type { DirectoryEntry, FileStat } from './stat.ts';
import type { FileTimes } from './times.ts';

/** A directory of the host as it is. */
export class BindDirectory extends Directory {
  readonly #host: HostDirectory;

  constructor(state: TableState, volume: Volume, host: HostDirectory, parent?: Directory, name = '') {
    super(state, volume, parent, name);
    this.#host = host;
  }

  stat(): FileStat {
    return this.state.times.exact(this.#host.stat());
  }

  protected doLookup(name: string): FileStat | undefined {
    const stat = this.#host.lookup(name);
    return stat && this.state.times.exact(stat);
  }

  protected doEnter(name: string): Directory | undefined {
    const host = this.#host.child(name);
    return host && new BindDirectory(this.state, this.volume, host, this, name);
  }

  protected doCheck(child: Directory): boolean {
    const stat = this.#host.lookup(child.name);
    const host = (child as BindDirectory).#host;
    return stat?.kind === 'directory' && stat.ino === host.ino && stat.dev === host.dev;
  }

  protected doOpen(name: string, how: OpenHow): OpenFile | undefined {
    if (this.volume.readOnly && (how.write || how.create || how.truncate)) {
      const there = this.#host.lookup(name);
      if (there?.kind === 'directory') return undefined;
      if (there?.kind === 'symlink') throw fsError('ELOOP', name);
      if (!there && !how.create) throw fsError('ENOENT', name);
      if (there && how.create && how.exclusive) throw fsError('EEXIST', name);
      if (!there || how.write || how.truncate) throw fsError('EROFS', name);
    }
    const { fd, isDirectory } = this.#host.open(name, openFlags(how), how.mode ?? 0o644);
    const file = new HostFile(fd, how, this.state.times, this.volume.readOnly);
    if (!isDirectory) return file;
    file.close();
    return undefined;
  }

  protected doReadLink(name: string): string {
    return this.#host.readLink(name);
  }

  protected doList(): DirectoryEntry[] {
    return this.#host.list();
  }

  protected doMakeDirectory(name: string, mode: number): void {
    if (this.volume.readOnly) throw fsError(this.#host.lookup(name) ? 'EEXIST' : 'EROFS', name);
    this.#host.makeDirectory(name, mode);
  }

  protected doRemoveDirectory(name: string): void {
    this.#writable(name);
    this.#host.removeDirectory(name);
  }

  protected doUnlink(name: string): void {
    this.#writable(name);
    this.#host.unlink(name);
  }

  protected doSymlink(name: string, target: string): void {
    if (this.volume.readOnly) throw fsError(this.#host.lookup(name) ? 'EEXIST' : 'EROFS', name);
    this.#host.symlink(name, target);
  }

  protected doLink(name: string, from: Directory, fromName: string): void {
    const host = (from as BindDirectory).#host;
    const source = host.lookup(fromName);
    if (!source) throw fsError('ENOENT', fromName);
    if (source.kind === 'directory') throw fsError(this.#host.lookup(name) ? 'EEXIST' : 'EPERM', fromName);
    this.#host.link(name, host, fromName);
  }

  protected doRename(name: string, to: Directory, toName: string): void {
    this.#host.rename(name, (to as BindDirectory).#host, toName);
  }

  protected doSetTimes(name: string, times: FileTimes): void {
    const before = this.doLookup(name);
    if (!before) throw fsError('ENOENT', name);
    this.#writable(name);
    const asked = { atime: times.atime ?? before.atime, mtime: times.mtime ?? before.mtime };
    this.#host.setTimes(name, asked.atime, asked.mtime);
    const after = this.#host.lookup(name);
    if (after) this.state.times.remember(after, asked);
  }

  protected doChmod(name: string, mode: number): void {
    this.#writable(name);
    this.#host.chmod(name, mode);
  }

  setOwnTimes(times: FileTimes): void {
    this.#writable(this.name);
    const before = this.stat();
    const asked = { atime: times.atime ?? before.atime, mtime: times.mtime ?? before.mtime };
    this.#host.setOwnTimes(asked.atime, asked.mtime);
    this.state.times.remember(this.#host.stat(), asked);
  }

  chmodSelf(mode: number): void {
    this.#writable(this.name);
    this.#host.chmodSelf(mode);
  }

  protected doMoved(child: Directory): void {
    (child as BindDirectory).#host.moved(this.#host, child.name);
  }

  protected doClose(): void {
    this.#host.close();
  }

  #writable(name: string): void {
    if (this.volume.readOnly) throw fsError('EROFS', name);
  }
}
