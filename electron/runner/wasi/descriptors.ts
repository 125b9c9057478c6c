import type { Directory } from '../../fs/directory.ts';
import { fsError } from '../../fs/error.ts';
import type { MountTable } from '../../fs/mount-table.ts';
import type { OpenFile } from '../../fs/open-file.ts';
import type { DirectoryEntry } from '../../fs/stat.ts';
import { errno, WasiError } from './errno.ts';
import { socketDescriptor, type SocketDescriptor } from './sock-descriptor.ts';
import { DIRECTORY_RIGHTS, INHERITED_RIGHTS, right } from './types.ts';
import type { GuestInput, GuestOutput, GuestWorld } from './world.ts';

/** Descriptors of one guest when nothing else was asked for; as many as Linux gives a process by default in containers is far more than the host has. */
const DEFAULT_LIMIT = 4096;
/** The most that can be asked for: what it takes is our memory, not the guest's. */
const HIGHEST_LIMIT = 1 << 20;

interface Common {
  /** Bits of `right`. */
  rights: number;
  inheriting: number;
  /** Bits of `fdflag`. */
  flags: number;
}

export interface FileDescriptor extends Common {
  readonly kind: 'file';
  readonly file: OpenFile;
  /** Bytes from the start, kept here: the host's descriptor is only used with explicit positions. */
  position: number;
}

export interface DirectoryDescriptor extends Common {
  readonly kind: 'directory';
  readonly directory: Directory;
  /** Set for what the guest was given at its start. */
  readonly preopen: string | undefined;
  /** The names as they were when the guest began to read them. */
  listing: readonly DirectoryEntry[] | undefined;
}

/** stdin, stdout, stderr. */
export interface StreamDescriptor extends Common {
  readonly kind: 'stream';
  readonly input: GuestInput | undefined;
  readonly output: GuestOutput | undefined;
  readonly tty: boolean;
}

export type Descriptor = FileDescriptor | DirectoryDescriptor | StreamDescriptor | SocketDescriptor;

/** The guest's open descriptors. Owns them: what is closed here is closed below. */
export class DescriptorTable {
  readonly #open: (Descriptor | undefined)[];
  readonly #mounts: MountTable;
  readonly #limit: number;
  /** No free number is lower than this one. */
  #lowest: number;

  /** @throws FsError when a directory that is to be preopened cannot be opened */
  constructor(world: GuestWorld) {
    const { mounts, tty } = world;
    this.#mounts = mounts;
    this.#limit = Math.min(world.descriptorLimit ?? DEFAULT_LIMIT, HIGHEST_LIMIT);
    const common = right.fdFdstatSetFlags | right.fdFilestatGet | right.pollFdReadwrite;
    const stream = (input: GuestInput | undefined, output: GuestOutput | undefined): StreamDescriptor => ({
      kind: 'stream',
      input,
      output,
      tty,
      rights: common | (input ? right.fdRead : right.fdWrite),
      inheriting: 0,
      flags: 0,
    });
    this.#open = [
      stream(world.stdin, undefined),
      stream(undefined, world.stdout),
      stream(undefined, world.stderr),
      preopened(mounts.root, '/'),
      ...(world.preopens ?? []).map((name) => preopened(directoryAt(mounts, name), name)),
      ...(world.sockets ?? []).map((socket) => socketDescriptor(socket)),
    ];
    mounts.root.pin();
    this.#lowest = this.#open.length;
  }

  find(fd: number): Descriptor | undefined {
    return this.#open[fd >>> 0];
  }

  get(fd: number): Descriptor {
    const descriptor = this.#open[fd >>> 0];
    if (!descriptor) throw new WasiError(errno.badf);
    return descriptor;
  }

  directory(fd: number, needs: number): DirectoryDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind !== 'directory') throw new WasiError(errno.notdir);
    if ((descriptor.rights & needs) !== needs) throw new WasiError(errno.notcapable);
    return descriptor;
  }

  /** An open file with the rights. `lacking` is the errno when the rights are missing. */
  file(fd: number, needs: number, lacking: number = errno.notcapable): FileDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind === 'directory') throw new WasiError(errno.isdir);
    if (descriptor.kind !== 'file') throw new WasiError(errno.spipe);
    if ((descriptor.rights & needs) !== needs) throw new WasiError(lacking);
    return descriptor;
  }

  /** An open socket with the rights. A directory is not even open for data, so it is BADF. */
  socket(fd: number, needs: number): SocketDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind !== 'socket') throw new WasiError(descriptor.kind === 'directory' ? errno.badf : errno.notsock);
    if ((descriptor.rights & needs) !== needs) throw new WasiError(errno.notcapable);
    return descriptor;
  }

  /** @throws WasiError MFILE when `add` would: to be asked before what cannot be undone. */
  needRoom(): void {
    this.#free();
  }

  /** The lowest free number. */
  add(descriptor: Descriptor): number {
    let fd: number;
    try {
      fd = this.#free();
    } catch (error) {
      this.#release(descriptor);
      throw error;
    }
    this.#open[fd] = descriptor;
    this.#lowest = fd + 1;
    return fd;
  }

  #free(): number {
    let fd = this.#lowest;
    while (this.#open[fd] !== undefined) fd += 1;
    this.#lowest = fd;
    if (fd >= this.#limit) throw new WasiError(errno.mfile);
    return fd;
  }

  close(fd: number): void {
    const descriptor = this.get(fd);
    const number = fd >>> 0;
    this.#open[number] = undefined;
    if (number < this.#lowest) this.#lowest = number;
    this.#release(descriptor);
  }

  /** `to` becomes what `from` was; both must be open. */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from);
    const replaced = this.get(to);
    if (descriptor === replaced) return;
    this.#open[to >>> 0] = descriptor;
    this.#open[from >>> 0] = undefined;
    this.#lowest = Math.min(this.#lowest, from >>> 0);
    this.#release(replaced);
  }

  closeAll(): void {
    for (const descriptor of this.#open.splice(0)) if (descriptor) this.#release(descriptor);
  }

  #release(descriptor: Descriptor): void {
    if (descriptor.kind === 'file') descriptor.file.close();
    else if (descriptor.kind === 'directory') this.#mounts.release(descriptor.directory);
    else if (descriptor.kind === 'socket') {
      descriptor.closed = true;
      descriptor.socket.close();
    }
  }
}

const preopened = (directory: Directory, name: string): DirectoryDescriptor => ({
  kind: 'directory',
  directory,
  preopen: name,
  listing: undefined,
  rights: DIRECTORY_RIGHTS,
  inheriting: INHERITED_RIGHTS,
  flags: 0,
});

function directoryAt(mounts: MountTable, path: string): Directory {
  const opened = mounts.open(mounts.root, path, { read: true, write: false, follow: true, onlyDirectory: true });
  if ('directory' in opened) return opened.directory;
  opened.file.close();
  throw fsError('ENOTDIR', path);
}
