/** What is spoken at a gate, see README.md. */
import { bytesOf16, textOf16, unmapped } from '../wasi/ip-address.ts';
import type { SocketAddress } from './guest-net.ts';
import type { Protocol } from './socket-home.ts';

export const VERSION = 1;
/** Bytes of what a caller says first, and of what stands before each datagram. */
export const GREETING = 38;
export const FRAME = 39;
/** The callee's answer to a greeting for a stream. */
export const ACCEPTED = 1;
export const REFUSED = 0;

const TCP = 6;
const UDP = 17;
/** Flag of a frame: it came to a port that is published on the host, or is the answer to one that did. */
const FORWARDED = 1;

export interface Greeting {
  readonly protocol: Protocol;
  readonly to: SocketAddress;
  readonly from: SocketAddress;
}

export interface Frame {
  readonly to: SocketAddress;
  readonly from: SocketAddress;
  readonly forwarded: boolean;
  readonly bytes: Uint8Array;
}

export function encodeGreeting({ protocol, to, from }: Greeting): Buffer {
  const out = Buffer.allocUnsafe(GREETING);
  out[0] = VERSION;
  out[1] = protocol === 'tcp' ? TCP : UDP;
  writeEnds(out, 2, to, from);
  return out;
}

/** Undefined for what no caller of this version says. */
export function decodeGreeting(bytes: Buffer): Greeting | undefined {
  const [version, protocol] = bytes;
  if (version !== VERSION || (protocol !== TCP && protocol !== UDP)) return undefined;
  return { protocol: protocol === TCP ? 'tcp' : 'udp', ...readEnds(bytes, 2) };
}

/** Header and datagram in one. */
export function encodeFrame({ to, from, forwarded, bytes }: Frame): Buffer {
  const out = Buffer.allocUnsafe(FRAME + bytes.length);
  out.writeUInt16BE(bytes.length, 0);
  writeEnds(out, 3, to, from);
  out[2] = forwarded ? FORWARDED : 0;
  out.set(bytes, FRAME);
  return out;
}

/** Takes a stream of frames apart. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #take: (frame: Frame) => void;

  constructor(take: (frame: Frame) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (rest.length >= FRAME) {
      const end = FRAME + rest.readUInt16BE(0);
      if (rest.length < end) break;
      const forwarded = rest[2] === FORWARDED;
      // A copy: what is kept must not keep the chunk.
      this.#take({ ...readEnds(rest, 3), forwarded, bytes: Buffer.from(rest.subarray(FRAME, end)) });
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}

function writeEnds(out: Buffer, at: number, to: SocketAddress, from: SocketAddress): void {
  out.writeUInt16BE(to.port, at);
  out.writeUInt16BE(from.port, at + 2);
  out.set(bytesOf16(to.address), at + 4);
  out.set(bytesOf16(from.address), at + 20);
}

function readEnds(bytes: Buffer, at: number): { readonly to: SocketAddress; readonly from: SocketAddress } {
  const address = (start: number): string => unmapped(textOf16(bytes.subarray(start, start + 16)));
  return {
    to: { address: address(at + 4), port: bytes.readUInt16BE(at) },
    from: { address: address(at + 20), port: bytes.readUInt16BE(at + 2) },
  };
}
