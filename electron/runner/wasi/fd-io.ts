import type { FileDescriptor, StreamDescriptor } from './descriptors.ts';
import { errno, WasiError } from './errno.ts';
import type { Family, Host } from './host.ts';
import { guarded } from './host.ts';
import type { SocketDescriptor } from './sock-descriptor.ts';
import { receive } from './sock-receive.ts';
import { send } from './sock-send.ts';
import { fdflag, right, whence } from './types.ts';
import { again } from './waiting.ts';
import type { HostFunction, Wait } from './world.ts';

/** The most that one system call moves. */
const MAX_TRANSFER = 0x7fff_f000;
/** Several small buffers (stdio gives two) are joined and written at once up to this size, in bytes. */
const JOIN = 64 * 1024;

const bytesOf = (vectors: readonly Uint8Array[]): number => vectors.reduce((sum, vector) => sum + vector.length, 0);

/** Offsets are exact up to 2^53; no file system goes further. */
function offset(value: bigint): number {
  const number = Number(BigInt.asUintN(64, value));
  if (number > Number.MAX_SAFE_INTEGER) throw new WasiError(errno.inval);
  return number;
}

/** fd_read, fd_write, fd_pread, fd_pwrite, fd_seek, fd_tell. */
export function fdIoFamily(host: Host): Family {
  const { world, memory, descriptors } = host;
  const scratch = Buffer.allocUnsafeSlow(JOIN);

  const readFile = (file: FileDescriptor, iovs: number, count: number, position: number): number => {
    if ((file.rights & right.fdRead) === 0) throw new WasiError(errno.badf);
    let done: number;
    if (count === 1) {
      const at = memory.at(iovs, 8);
      const length = memory.view.getUint32(at + 4, true);
      const into = memory.at(memory.view.getUint32(at, true), length);
      // Straight into the guest's memory.
      done = length === 0 ? 0 : file.file.read(memory.bytes, into, Math.min(length, MAX_TRANSFER), position);
    } else {
      const vectors = memory.vectors(iovs, count);
      done = vectors.length === 0 ? 0 : file.file.readMany(vectors, position);
    }
    world.noteIo(done, 0);
    return done;
  };

  const writeFile = (file: FileDescriptor, iovs: number, count: number, position: number): number => {
    if ((file.rights & right.fdWrite) === 0) throw new WasiError(errno.badf);
    let done: number;
    if (count === 1) {
      const at = memory.at(iovs, 8);
      const length = memory.view.getUint32(at + 4, true);
      const from = memory.at(memory.view.getUint32(at, true), length);
      done = length === 0 ? 0 : file.file.write(memory.bytes, from, Math.min(length, MAX_TRANSFER), position);
    } else {
      const vectors = memory.vectors(iovs, count);
      const length = bytesOf(vectors);
      if (length === 0) done = 0;
      else if (length <= JOIN) {
        let at = 0;
        for (const vector of vectors) {
          scratch.set(vector, at);
          at += vector.length;
        }
        done = file.file.write(scratch, 0, length, position);
      } else done = file.file.writeMany(vectors, position);
    }
    world.noteIo(0, done);
    return done;
  };

  const readStream = (stream: StreamDescriptor, iovs: number, count: number, sizeOut: number): number | Wait => {
    const { input } = stream;
    if (!input || (stream.rights & right.fdRead) === 0) return errno.badf;
    const out = memory.at(sizeOut, 4);
    const total = count >>> 0;
    const start = memory.at(iovs, total * 8);
    let done = 0;
    let room = false;
    for (let index = 0; index < total; index++) {
      const length = memory.view.getUint32(start + index * 8 + 4, true);
      if (length === 0) continue;
      room = true;
      const taken = input.take(memory.slice(memory.view.getUint32(start + index * 8, true), length));
      done += taken;
      if (taken < length) break;
    }
    if (done === 0 && room && !input.ended()) {
      if ((stream.flags & fdflag.nonblock) !== 0) return errno.again;
      return {
        ready: () => input.available() > 0 || input.ended(),
        resume: () => again(memory, () => readStream(stream, iovs, count, sizeOut)),
      };
    }
    if (done === 0 && room) input.passEnd?.();
    memory.view.setUint32(out, done, true);
    return errno.success;
  };

  const writeStream = (stream: StreamDescriptor, iovs: number, count: number, sizeOut: number): number | Wait => {
    const { output } = stream;
    if (!output || (stream.rights & right.fdWrite) === 0) return errno.badf;
    const out = memory.at(sizeOut, 4);
    const vectors = memory.vectors(iovs, count);
    const done = vectors.length === 0 ? 0 : output.write(vectors);
    if (done === 0 && vectors.length > 0) {
      if ((stream.flags & fdflag.nonblock) !== 0) return errno.again;
      return {
        ready: () => output.writable(),
        resume: () => again(memory, () => writeStream(stream, iovs, count, sizeOut)),
      };
    }
    memory.view.setUint32(out, done, true);
    return errno.success;
  };

  const readSocket = (socket: SocketDescriptor, iovs: number, count: number, sizeOut: number): number | Wait => {
    if ((socket.rights & right.fdRead) === 0) return errno.badf;
    memory.at(sizeOut, 4);
    return receive(host, socket, [iovs, count, 0], ({ length }) => memory.u32(sizeOut, length));
  };

  const read = (fd: number, iovs: number, count: number, sizeOut: number): number | Wait => {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind === 'stream') return readStream(descriptor, iovs, count, sizeOut);
    if (descriptor.kind === 'directory') return errno.isdir;
    if (descriptor.kind === 'socket') return readSocket(descriptor, iovs, count, sizeOut);
    const out = memory.at(sizeOut, 4);
    const done = readFile(descriptor, iovs, count, descriptor.position);
    descriptor.position += done;
    memory.view.setUint32(out, done, true);
    return errno.success;
  };

  const write = (fd: number, iovs: number, count: number, sizeOut: number): number | Wait => {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind === 'stream') return writeStream(descriptor, iovs, count, sizeOut);
    if (descriptor.kind === 'directory') return errno.isdir;
    if (descriptor.kind === 'socket')
      return (descriptor.rights & right.fdWrite) === 0 ? errno.badf : send(host, descriptor, [iovs, count, sizeOut]);
    const out = memory.at(sizeOut, 4);
    const done = writeFile(descriptor, iovs, count, descriptor.position);
    if ((descriptor.flags & fdflag.append) !== 0) {
      if (done > 0) descriptor.position = Number(descriptor.file.stat().size);
    } else descriptor.position += done;
    memory.view.setUint32(out, done, true);
    return errno.success;
  };

  const rest = guarded(memory, {
    fd_read: read,
    fd_write: write,

    fd_pread: (fd: number, iovs: number, count: number, position: bigint, sizeOut: number) => {
      const file = descriptors.file(fd, right.fdRead, errno.badf);
      const out = memory.at(sizeOut, 4);
      memory.view.setUint32(out, readFile(file, iovs, count, offset(position)), true);
    },

    fd_pwrite: (fd: number, iovs: number, count: number, position: bigint, sizeOut: number) => {
      const file = descriptors.file(fd, right.fdWrite, errno.badf);
      const out = memory.at(sizeOut, 4);
      memory.view.setUint32(out, writeFile(file, iovs, count, offset(position)), true);
    },

    fd_seek: (fd: number, by: bigint, from: number, out: number) => {
      const file = descriptors.file(fd, from === whence.cur && by === 0n ? right.fdTell : right.fdSeek);
      let base: number;
      if (from === whence.set) base = 0;
      else if (from === whence.cur) base = file.position;
      else if (from === whence.end) base = Number(file.file.stat().size);
      else return errno.inval;
      const position = base + Number(by);
      if (position < 0 || position > Number.MAX_SAFE_INTEGER) return errno.inval;
      memory.u64(out, BigInt(position));
      file.position = position;
      return errno.success;
    },

    fd_tell: (fd: number, out: number) => {
      memory.u64(out, BigInt(descriptors.file(fd, right.fdTell).position));
    },
  });
  return rest satisfies Record<string, HostFunction>;
}
