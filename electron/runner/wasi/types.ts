/** Numbers of the preview 1 ABI (witx: typenames.witx). */
import type { FileKind } from '../../fs/stat.ts';

export const filetype = {
  unknown: 0,
  blockDevice: 1,
  characterDevice: 2,
  directory: 3,
  regularFile: 4,
  socketDgram: 5,
  socketStream: 6,
  symbolicLink: 7,
} as const;

export const filetypeOf: Readonly<Record<FileKind, number>> = {
  file: filetype.regularFile,
  directory: filetype.directory,
  symlink: filetype.symbolicLink,
  character: filetype.characterDevice,
  block: filetype.blockDevice,
  fifo: filetype.unknown,
  socket: filetype.socketStream,
};

export const fdflag = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const oflag = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const;
export const fstflag = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
export const whence = { set: 0, cur: 1, end: 2 } as const;
export const clockid = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;
export const eventtype = { clock: 0, fdRead: 1, fdWrite: 2 } as const;
export const riflag = { peek: 1, waitall: 2 } as const;
export const roflag = { truncated: 1 } as const;
export const sdflag = { rd: 1, wr: 2 } as const;
export const LOOKUP_FOLLOW = 1;
export const EVENT_HANGUP = 1;
export const CLOCK_ABSTIME = 1;

/** A bit each; all 30 fit in a number. */
export const right = {
  fdDatasync: 1 << 0,
  fdRead: 1 << 1,
  fdSeek: 1 << 2,
  fdFdstatSetFlags: 1 << 3,
  fdSync: 1 << 4,
  fdTell: 1 << 5,
  fdWrite: 1 << 6,
  fdAdvise: 1 << 7,
  fdAllocate: 1 << 8,
  pathCreateDirectory: 1 << 9,
  pathCreateFile: 1 << 10,
  pathLinkSource: 1 << 11,
  pathLinkTarget: 1 << 12,
  pathOpen: 1 << 13,
  fdReaddir: 1 << 14,
  pathReadlink: 1 << 15,
  pathRenameSource: 1 << 16,
  pathRenameTarget: 1 << 17,
  pathFilestatGet: 1 << 18,
  pathFilestatSetSize: 1 << 19,
  pathFilestatSetTimes: 1 << 20,
  fdFilestatGet: 1 << 21,
  fdFilestatSetSize: 1 << 22,
  fdFilestatSetTimes: 1 << 23,
  pathSymlink: 1 << 24,
  pathRemoveDirectory: 1 << 25,
  pathUnlinkFile: 1 << 26,
  pollFdReadwrite: 1 << 27,
  sockShutdown: 1 << 28,
  sockAccept: 1 << 29,
} as const;

/** What can be done to an open file. */
export const FILE_RIGHTS =
  right.fdDatasync |
  right.fdRead |
  right.fdSeek |
  right.fdFdstatSetFlags |
  right.fdSync |
  right.fdTell |
  right.fdWrite |
  right.fdAdvise |
  right.fdAllocate |
  right.fdFilestatGet |
  right.fdFilestatSetSize |
  right.fdFilestatSetTimes |
  right.pollFdReadwrite;

/** What can be done to an open directory. */
export const DIRECTORY_RIGHTS =
  right.fdFdstatSetFlags |
  right.fdSync |
  right.fdDatasync |
  right.pathCreateDirectory |
  right.pathCreateFile |
  right.pathLinkSource |
  right.pathLinkTarget |
  right.pathOpen |
  right.fdReaddir |
  right.pathReadlink |
  right.pathRenameSource |
  right.pathRenameTarget |
  right.pathFilestatGet |
  right.pathFilestatSetSize |
  right.pathFilestatSetTimes |
  right.fdFilestatGet |
  right.fdFilestatSetTimes |
  right.pathSymlink |
  right.pathRemoveDirectory |
  right.pathUnlinkFile;

/** What can be done to a socket. */
export const SOCKET_RIGHTS =
  right.fdRead |
  right.fdWrite |
  right.fdFdstatSetFlags |
  right.fdFilestatGet |
  right.pollFdReadwrite |
  right.sockShutdown |
  right.sockAccept;

/** What may be asked for below a directory. */
export const INHERITED_RIGHTS = FILE_RIGHTS | DIRECTORY_RIGHTS;

/** Rights that path_open gives only when they are asked for. All others come by themselves, as in the hosts that ignore rights. */
export const ASKED_RIGHTS = right.fdRead | right.fdWrite | right.fdAllocate | right.fdFilestatSetSize;
export const WRITING_RIGHTS = right.fdWrite | right.fdAllocate | right.fdFilestatSetSize;
