/**
 * Sockets as the WASI host sees them. Two implementations: over shared memory for a guest in a thread of its own (the sockets live in the control
 * thread), and direct for guests that share the process's one thread. Nothing here blocks: what has to happen elsewhere answers with a Pending, what
 * has nothing to give says so, and the host makes a Wait of it. Whatever changes readiness wakes the guest's driver. Addresses are those of the guest's
 * network (virtual ones, but for `--network host`).
 */

/** Dotted IPv4, or IPv6 text without brackets. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export type SocketFamily = 4 | 6;
export type SocketType = 'stream' | 'dgram';

/** A request that the control thread or the engine answers. */
export interface Pending<T> {
  /** Undefined while it is under way. Its errors are values of T (an errno), never thrown. */
  poll(): T | undefined;
}

/** 0, or an errno of WASI. */
export type Errno = number;

export interface Datagram {
  /** Bytes copied. */
  readonly length: number;
  /** The rest of the datagram did not fit (and is gone unless it was only peeked at). */
  readonly truncated: boolean;
  readonly from: SocketAddress;
}

/** Options that reach the real socket; the host keeps all the others itself. Times in milliseconds, sizes in bytes. */
export interface SocketOptions {
  readonly keepAlive?: boolean;
  readonly noDelay?: boolean;
  readonly broadcast?: boolean;
  readonly receiveBuffer?: number;
  readonly sendBuffer?: number;
}

export interface GuestSocket {
  readonly family: SocketFamily;
  readonly type: SocketType;
  readonly state: 'fresh' | 'bound' | 'listening' | 'connecting' | 'connected' | 'failed';
  /** Port 0 = any free one. EADDRINUSE, EADDRNOTAVAIL, EACCES. Datagram sockets receive from here on. */
  bind(address: SocketAddress): Pending<Errno>;
  /** Binds to any address first when that was not done. */
  listen(backlog: number): Pending<Errno>;
  /** Stream: the connection is there, or the errno why not (ECONNREFUSED, EHOSTUNREACH, EACCES when a rule refuses it, ETIMEDOUT). Datagram: sets the peer. */
  connect(address: SocketAddress): Pending<Errno>;
  /** The next connection; undefined = none waits. */
  accept(): GuestSocket | undefined;
  /** Connections that wait for `accept`. */
  backlog(): number;
  /** Stream. Bytes copied; 0 = nothing now, or the end (see `ended`). `peek` leaves them there. */
  receive(into: readonly Uint8Array[], peek: boolean): number;
  /** Datagram. Undefined = none now. */
  receiveFrom(into: readonly Uint8Array[], peek: boolean): Datagram | undefined;
  /** Bytes (stream), or bytes of the next datagram, that could be received now. */
  available(): number;
  /** True once the peer has closed its direction and all was received. A reset sets `error` as well. */
  ended(): boolean;
  /** Stream. Bytes taken; 0 = no room now. Only when connected and not shut down for writing. */
  send(chunks: readonly Uint8Array[]): number;
  /** Datagram: whole or not at all. The errno, or undefined = no room now. `to` absent = the peer of `connect`. */
  sendTo(chunks: readonly Uint8Array[], to?: SocketAddress): Errno | undefined;
  writable(): boolean;
  /** What arrived before still can be read after shutdown of reading; afterwards `ended`. */
  shutdown(read: boolean, write: boolean): void;
  /** The error that is pending (ECONNRESET, EPIPE, what a connect failed with), 0 = none. `take` clears it, as SO_ERROR does. */
  error(take: boolean): Errno;
  /** 0.0.0.0:0 when not bound. */
  localAddress(): SocketAddress;
  peerAddress(): SocketAddress | undefined;
  setOptions(options: SocketOptions): void;
  /** Sends what was taken, then ends. The object is not used afterwards. */
  close(): void;
}

export interface GuestNet {
  socket(family: SocketFamily, type: SocketType): GuestSocket;
  /** Addresses of a host name, IPv4 first; or an errno: ENOENT = no such name, EACCES = refused, EAGAIN = no answer now. Numbers never get here. */
  lookup(name: string, family: 0 | SocketFamily): Pending<readonly string[] | Errno>;
}
