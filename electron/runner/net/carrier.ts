/** The two directions of bytes below a connected stream socket, whatever carries them: a socket of the host, or this process's own memory. */
import type { Errno, SocketOptions } from './guest-net.ts';

export interface CarrierOwner {
  /** Bytes have arrived; they are the owner's from now on. */
  data(bytes: Uint8Array): void;
  /** The peer has closed its direction: no `data` follows. */
  ending(): void;
  /** `queued` is 0 again. */
  drained(): void;
  /** The connection is broken; nothing follows. */
  failed(error: Errno): void;
}

export interface Carrier {
  /** Who hears of it; nothing is read before. */
  attach(owner: CarrierOwner): void;
  /** Takes the bytes, which must not change afterwards. */
  write(bytes: Uint8Array): void;
  /** Bytes written that are not on their way yet. */
  readonly queued: number;
  /** Nothing more is written: after what is queued the peer reads the end. */
  end(): void;
  /** Holds the peer back, after what is on its way here. */
  pause(): void;
  resume(): void;
  setOptions(options: SocketOptions): void;
  /** Ends; what is queued is still delivered, what arrives is dropped. */
  close(): void;
  /** At once. The peer reads an error when `reset`. */
  destroy(reset?: boolean): void;
}
