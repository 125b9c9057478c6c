/** For tests only: a world without threads, and a hand that calls imports over a memory of its own. */
import { Scratch, type Tree } from '../../fs/testing.ts';
import type { MountSpec } from '../../fs/mounts.ts';
import type { GuestNet, GuestSocket } from '../net/guest-net.ts';
import { createPreview1, type Preview1 } from './preview1.ts';
import { DIRECTORY_RIGHTS, FILE_RIGHTS, LOOKUP_FOLLOW, oflag } from './types.ts';
import type { GuestInput, GuestOutput, GuestWorld, HostFunction, Wait } from './world.ts';

export class FakeInput implements GuestInput {
  pending = Buffer.alloc(0);
  closed = false;
  take(into: Uint8Array): number {
    const size = Math.min(into.length, this.pending.length);
    into.set(this.pending.subarray(0, size));
    this.pending = this.pending.subarray(size);
    return size;
  }
  available(): number {
    return this.pending.length;
  }
  ended(): boolean {
    return this.closed && this.pending.length === 0;
  }
  /** Set: the end is a terminal's, and passes. */
  ends = 0;
  passEnd(): void {
    if (this.ends > 0 && --this.ends === 0) this.closed = false;
  }
  give(text: string): void {
    this.pending = Buffer.concat([this.pending, Buffer.from(text)]);
  }
}

export class FakeOutput implements GuestOutput {
  /** One for each write, as records would be. */
  readonly records: string[] = [];
  room = Number.MAX_SAFE_INTEGER;
  write(chunks: readonly Uint8Array[]): number {
    const taken = Buffer.concat(chunks).subarray(0, this.room);
    this.room -= taken.length;
    if (taken.length > 0) this.records.push(taken.toString());
    return taken.length;
  }
  writable(): boolean {
    return this.room > 0;
  }
}

export interface GuestOptions {
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly tty?: boolean;
  readonly lower?: Tree;
  readonly mounts?: readonly MountSpec[];
  /** Where the scratch's `shared` directory is mounted. */
  readonly binds?: readonly string[];
  readonly readOnly?: boolean;
  readonly preopens?: readonly string[];
  readonly net?: GuestNet;
  readonly sockets?: readonly GuestSocket[];
  readonly descriptorLimit?: number;
}

/** Where tests put things in the guest's memory. */
export const at = { text: 1024, other: 8192, data: 16_384, out: 65_536 - 256, iovs: 512 } as const;

/** A guest that is the test itself. */
export class HandGuest {
  readonly scratch: Scratch;
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 16 });
  readonly stdin = new FakeInput();
  readonly stdout = new FakeOutput();
  readonly stderr = new FakeOutput();
  readonly io = { read: 0, written: 0 };
  readonly sizes: number[] = [];
  readonly preview1: Preview1;
  imports: Record<string, HostFunction>;

  constructor({
    args = [],
    env = [],
    tty = false,
    lower = {},
    mounts = [],
    binds = [],
    readOnly = false,
    preopens,
    net,
    sockets,
    descriptorLimit,
  }: GuestOptions = {}) {
    this.scratch = new Scratch(true, { lower });
    const world: GuestWorld = {
      args,
      env,
      tty,
      mounts: this.scratch.table([...mounts, ...binds.map((target) => this.scratch.bind(target))], readOnly),
      preopens,
      stdin: this.stdin,
      stdout: this.stdout,
      stderr: this.stderr,
      net,
      sockets,
      descriptorLimit,
      noteMemory: (bytes) => void this.sizes.push(bytes),
      noteIo: (read, written) => {
        this.io.read += read;
        this.io.written += written;
      },
    };
    this.preview1 = createPreview1(world);
    this.imports = this.preview1.imports;
    this.preview1.bindMemory(this.memory);
  }

  [Symbol.dispose](): void {
    this.preview1.dispose();
    this.scratch[Symbol.dispose]();
  }

  get bytes(): Buffer {
    return Buffer.from(this.memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** Calls an import; the answer is an errno or a Wait. */
  call(name: string, ...args: readonly (number | bigint)[]): number | Wait {
    const host = this.imports[name] as ((...args: readonly (number | bigint)[]) => number | Wait) | undefined;
    if (!host) throw new Error(`no import ${name}`);
    return host(...args);
  }

  /** Calls an import that must not wait. */
  errno(name: string, ...args: readonly (number | bigint)[]): number {
    const answer = this.call(name, ...args);
    if (typeof answer !== 'number') throw new Error(`${name} waits`);
    return answer;
  }

  /** Calls an import that must succeed. */
  ok(name: string, ...args: readonly (number | bigint)[]): void {
    const answer = this.errno(name, ...args);
    if (answer !== 0) throw new Error(`${name} answered ${answer}`);
  }

  wait(name: string, ...args: readonly (number | bigint)[]): Wait {
    const answer = this.call(name, ...args);
    if (typeof answer === 'number') throw new Error(`${name} answered ${answer} instead of waiting`);
    return answer;
  }

  /** Puts a string into memory; its pointer and length, as imports take them. */
  text(value: string, pointer: number = at.text): [number, number] {
    return [pointer, this.bytes.write(value, pointer)];
  }

  /** Puts an iovec array for buffers of these lengths, one after another from `at.data`; its pointer and count. */
  iovs(...lengths: readonly number[]): [number, number] {
    let data: number = at.data;
    lengths.forEach((length, index) => {
      this.view.setUint32(at.iovs + index * 8, data, true);
      this.view.setUint32(at.iovs + index * 8 + 4, length, true);
      data += length;
    });
    return [at.iovs, lengths.length];
  }

  /** Opens a path below descriptor 3 with all rights that a file or (with the flag) a directory can have, and gives the descriptor. */
  open(path: string, { oflags = 0, fdflags = 0, fd = 3 } = {}): number {
    const rights = BigInt((oflags & oflag.directory) === 0 ? FILE_RIGHTS : DIRECTORY_RIGHTS);
    this.ok('path_open', fd, LOOKUP_FOLLOW, ...this.text(path), oflags, rights, rights, fdflags, at.out);
    return this.out32();
  }

  out32(): number {
    return this.view.getUint32(at.out, true);
  }

  out64(offset = 0): bigint {
    return this.view.getBigUint64(at.out + offset, true);
  }

  write(fd: number, ...parts: readonly string[]): number {
    const vectors = this.iovs(...parts.map((part) => Buffer.byteLength(part)));
    this.bytes.write(parts.join(''), at.data);
    this.ok('fd_write', fd, ...vectors, at.out);
    return this.out32();
  }

  read(fd: number, ...lengths: readonly number[]): string {
    this.ok('fd_read', fd, ...this.iovs(...lengths), at.out);
    return this.bytes.toString('utf8', at.data, at.data + this.out32());
  }
}
