import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { codeOf, fsError } from './error.ts';
import type { HostDirectory } from './host-directory.ts';
import type { LowerDirectory } from './lower.ts';
import type { OverlayDirectory } from './overlay.ts';
import type { FileStat } from './stat.ts';
import type { ExactTimes } from './times.ts';
import { workName } from './whiteout.ts';

/** Buffer of a copy that has no shortcut, in bytes. */
const CHUNK = 256 * 1024;

/** The container's own copy of an image's directory (not of what is in it): same mode, same times; the parent's times stay what they were. */
export function copyUpDirectory(stat: FileStat, above: HostDirectory, name: string, times: ExactTimes): HostDirectory {
  const outside = times.exact(above.stat());
  try {
    above.makeDirectory(name, 0o700);
  } catch (error) {
    // Another process of the same container was quicker.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const made = above.child(name);
  if (!made) throw fsError('ENOTDIR', name);
  // The owner must be able to work in it, whatever the image says.
  made.chmodSelf(stat.mode | 0o700);
  made.setOwnTimes(stat.atime, stat.mtime);
  times.remember(made.stat(), stat);
  above.setOwnTimes(outside.atime, outside.mtime);
  times.remember(above.stat(), outside);
  return made;
}

/** The container's own copy of an image's file or link. It appears under its name only when it is whole. */
export function copyUpFile(
  lower: LowerDirectory,
  stat: FileStat,
  upper: HostDirectory,
  name: string,
  withData: boolean,
  times: ExactTimes,
): void {
  const work = workName();
  const outside = times.exact(upper.stat());
  try {
    if (stat.kind === 'symlink') upper.symlink(work, lower.readLink(name));
    else if (stat.kind !== 'file') throw fsError('ENXIO', name);
    else {
      if (withData) lower.copyTo(name, upper, work);
      else closeSync(openSync(upper.at(work), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
      upper.chmod(work, stat.mode | 0o600);
    }
    upper.setTimes(work, stat.atime, stat.mtime);
    const kept = upper.lookup(work);
    if (kept) times.remember(kept, stat);
    publish(upper, work, name);
  } finally {
    upper.forget(work);
  }
  upper.setOwnTimes(outside.atime, outside.mtime);
  times.remember(upper.stat(), outside);
}

/** Gives finished work its name, but never over a copy that another process made meanwhile and may already have changed. */
function publish(upper: HostDirectory, work: string, name: string): void {
  try {
    upper.link(name, upper, work);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (!isLinkless(error)) throw error;
    upper.rename(work, upper, name);
  }
}

/**
 * Gives a merged directory with all it holds a second name. For renaming what is partly or wholly the image's. Files of the container itself are linked, not
 * copied: they stay the same files for whoever has them open, and their size costs nothing.
 */
export function copyUpTree(from: OverlayDirectory, to: HostDirectory, name: string, times: ExactTimes): void {
  const stat = from.stat();
  to.makeDirectory(name, 0o700);
  const made = to.child(name);
  if (!made) throw fsError('ENOTDIR', name);
  try {
    for (const entry of from.list()) {
      if (entry.kind === 'directory') {
        const below = from.enter(entry.name);
        // Nothing that carries a mount is ever renamed, so all below is of the overlay too.
        if (below) copyUpTree(below as OverlayDirectory, made, entry.name, times);
      } else copyEntry(from, entry.name, made, times);
    }
    made.chmodSelf(stat.mode | 0o700);
    made.setOwnTimes(stat.atime, stat.mtime);
    times.remember(made.stat(), stat);
  } finally {
    made.close();
  }
}

function copyEntry(from: OverlayDirectory, name: string, to: HostDirectory, times: ExactTimes): void {
  const stat = from.lookup(name);
  if (!stat || linked(from.upperOf(name), to, name)) return;
  if (stat.kind === 'symlink') to.symlink(name, from.readLink(name));
  else if (stat.kind === 'file') {
    const source = from.open(name, { read: true, write: false });
    if (!source) throw fsError('EISDIR', name);
    try {
      copyData(source, to, name);
    } finally {
      source.close();
    }
    to.chmod(name, stat.mode | 0o600);
  } else return;
  to.setTimes(name, stat.atime, stat.mtime);
  const kept = to.lookup(name);
  if (kept) times.remember(kept, stat);
}

/** False when it has to be copied: it is the image's, or lies where files have one name only. */
function linked(upper: HostDirectory | undefined, to: HostDirectory, name: string): boolean {
  if (!upper) return false;
  try {
    to.link(name, upper, name);
    return true;
  } catch (error) {
    if (isLinkless(error) || codeOf(error) === 'EMLINK') return false;
    throw error;
  }
}

/** The file system has no hard links. */
function isLinkless(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS';
}

function copyData(
  source: { read(into: Uint8Array, offset: number, length: number, position: number): number },
  to: HostDirectory,
  name: string,
): void {
  const fd = openSync(to.at(name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (let position = 0; ;) {
      const read = source.read(buffer, 0, CHUNK, position);
      if (read === 0) return;
      for (let done = 0; done < read;) done += writeSync(fd, buffer, done, read - done, position + done);
      position += read;
    }
  } finally {
    closeSync(fd);
  }
}

/** Removes a name of the upper with all that is in it; nothing happens when it is not there. */
export function removeTree(directory: HostDirectory, name: string): void {
  const stat = directory.lookup(name);
  if (!stat) return;
  if (stat.kind !== 'directory') {
    directory.forget(name);
    return;
  }
  const child = directory.child(name);
  if (!child) return;
  try {
    for (const entry of child.list()) removeTree(child, entry.name);
  } finally {
    child.close();
  }
  directory.removeDirectory(name);
}
