/** What the sockets of one guest need from its network stack. */
import type { Carrier } from './carrier.ts';
import type { Errno, SocketAddress, SocketFamily } from './guest-net.ts';
import type { Room } from './room.ts';

export type Protocol = 'tcp' | 'udp';

export interface Connection {
  readonly carrier: Carrier;
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
}

/** A connection that wants to be accepted. */
export interface Incoming {
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  /** Called once, or `refuse`. Undefined when it is gone already. */
  take(): Carrier | undefined;
  refuse(): void;
}

/** A port that a socket has. */
export interface Bound {
  readonly local: SocketAddress;
  /** Gives it up. */
  release(): void;
}

/** Whoever takes connections to a port. */
export interface Listener {
  readonly family: SocketFamily;
  offer(incoming: Incoming): void;
}

export interface StreamHome {
  readonly room: Room;
  /** Claims a port for the listener, who may be offered connections from now on. */
  bindStream(listener: Listener, address: SocketAddress): Promise<Bound | Errno>;
  /** `dialling` learns how to give up what takes long. */
  connectStream(
    family: SocketFamily,
    from: SocketAddress,
    to: SocketAddress,
    dialling: (giveUp: () => void) => void,
  ): Promise<Connection | Errno>;
}
