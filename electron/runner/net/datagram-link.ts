import type { Socket } from 'node:net';
import { encodeFrame, type Frame, FrameReader } from './gate-protocol.ts';
import { WINDOW } from './room.ts';

/** Milliseconds without a datagram after which a link is closed; the next one opens another. */
const IDLE = 60_000;

/** Datagrams to and from one other run, over a stream that is kept. */
export class DatagramLink {
  readonly #socket: Socket;

  /** `first` was read from the socket already. `closed` is called once. */
  constructor(
    socket: Socket,
    heard: (frame: Frame, link: DatagramLink) => void,
    closed: (link: DatagramLink) => void,
    first?: Buffer,
  ) {
    this.#socket = socket;
    const reader = new FrameReader((frame) => heard(frame, this));
    if (first) reader.push(first);
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => closed(this));
    socket.setTimeout(IDLE, () => socket.destroy());
    socket.resume();
  }

  /** Drops what a slow peer has no room for. */
  send(frame: Frame): void {
    if (this.#socket.writable && this.#socket.writableLength < WINDOW) this.#socket.write(encodeFrame(frame));
  }

  /** Something is not on its way yet. */
  get busy(): boolean {
    return !this.#socket.destroyed && (this.#socket.connecting || this.#socket.writableLength > 0);
  }

  close(): void {
    this.#socket.destroy();
  }
}
