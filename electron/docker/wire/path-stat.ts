import { formatTime } from '../../base/log-format.ts';
import type { PathStat } from '../../engine/api/index.ts';

/** Go's os.FileMode bits of a kind. */
const kindBits: Readonly<Record<PathStat['kind'], number>> = {
  file: 0,
  directory: 2 ** 31,
  symlink: 2 ** 27,
  block: 2 ** 26,
  character: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
};

/** Permission bits and kind as Go's os.FileMode: 0755 of a directory is 2147484141. */
export function goFileMode(kind: PathStat['kind'], mode: number): number {
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return kindBits[kind] + special + (mode & 0o777);
}

/** `X-Docker-Container-Path-Stat`: standard base64 of JSON (moby: api/server/router/container/copy.go). */
export function pathStatHeader({ name, size, kind, mode, mtime, linkTarget }: PathStat): string {
  const stat = { name, size, mode: goFileMode(kind, mode), mtime: formatTime(mtime), linkTarget };
  return Buffer.from(JSON.stringify(stat)).toString('base64');
}
