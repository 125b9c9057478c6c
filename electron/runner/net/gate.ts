/** Where other runs reach the sockets of this one. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { decodeGreeting, GREETING, type Greeting } from './gate-protocol.ts';

/** Milliseconds that a caller has to say what it wants. */
const PATIENCE = 10_000;

export interface GateListener {
  /** Somebody wants to reach a port. The socket is paused; `first` was read from it after the greeting. */
  caller(socket: Socket, greeting: Greeting, first: Buffer): void;
}

export class Gate {
  readonly path: string;
  readonly #listener: GateListener;
  readonly #greeting = new Set<Socket>();
  #server: Server | undefined;
  #opening: Promise<void> | undefined;

  constructor(path: string, listener: GateListener) {
    this.path = path;
    this.#listener = listener;
  }

  /** Opens it, once. Rejects with the system's error. */
  open(): Promise<void> {
    return (this.#opening ??= this.#open());
  }

  close(): void {
    this.#opening ??= Promise.reject(new Error('the gate is closed'));
    this.#opening.catch(() => undefined);
    for (const socket of this.#greeting) socket.destroy();
    this.#server?.close();
    if (this.#server) this.#unlink();
    this.#server = undefined;
  }

  #open(): Promise<void> {
    this.#unlink();
    const server = (this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#greet(socket)));
    return new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen({ path: this.path, backlog: 4096 }, () => {
        // The directory lets only this user in; this is the second lock.
        if (!isPipe(this.path)) chmodSync(this.path, 0o600);
        resolve();
      });
    });
  }

  #unlink(): void {
    if (!isPipe(this.path)) rmSync(this.path, { force: true });
  }

  #greet(socket: Socket): void {
    this.#greeting.add(socket);
    const timer = setTimeout(() => socket.destroy(), PATIENCE);
    let said: Buffer = Buffer.alloc(0);
    const done = (): void => {
      clearTimeout(timer);
      this.#greeting.delete(socket);
      socket.off('data', hear).off('close', done).off('end', gone);
    };
    const gone = (): void => void socket.destroy();
    const hear = (chunk: Buffer): void => {
      said = said.length === 0 ? chunk : Buffer.concat([said, chunk]);
      if (said.length < GREETING) return;
      socket.pause();
      done();
      const greeting = decodeGreeting(said);
      if (greeting) this.#listener.caller(socket, greeting, said.subarray(GREETING));
      else socket.destroy();
    };
    socket.on('error', () => socket.destroy());
    socket.on('data', hear).on('close', done).on('end', gone);
  }
}

/** A named pipe of Windows is no file: there is nothing to unlink, and its rights are the user's. */
export const isPipe = (path: string): boolean => path.startsWith('\\\\.\\pipe\\') || path.startsWith('\\\\?\\pipe\\');
