import { mkdirSync, openSync, readFileSync, rmSync, writeSync, closeSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { host } from './host.ts';

type Second = (argv: string[], cwd: string, data: unknown) => void;

/** One instance a userData directory, across processes as in Electron: a lock file, and a socket that brings the second start's data. */
export class SingleInstance {
  held = false;
  readonly #onSecond: Second;
  #server: Server | undefined;
  #file: string | undefined;
  #sent: Promise<void> = Promise.resolve();

  constructor(onSecond: Second) {
    this.#onSecond = onSecond;
  }

  request(userData: string, additionalData: Record<string, unknown> | undefined): boolean {
    if (this.held) return true;
    mkdirSync(userData, { recursive: true });
    const file = join(userData, 'SingletonLock');
    const holder = read(file);
    if (holder !== undefined && alive(holder.pid)) {
      this.#sent = tell(holder.socket, { argv: process.argv, cwd: process.cwd(), data: additionalData });
      return false;
    }
    rmSync(file, { force: true });
    const socket = join(userData, 'SingletonSocket');
    rmSync(socket, { force: true });
    this.#server = createServer({ allowHalfOpen: true }, (connection) => {
      let text = '';
      connection.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      connection.on('error', () => undefined);
      connection.on('end', () => {
        connection.end();
        const { argv, cwd, data } = JSON.parse(text) as { argv: string[]; cwd: string; data: unknown };
        // Electron tells the app only once it is ready.
        if (host.ready) this.#onSecond(argv, cwd, data);
        else host.events.once('ready', () => this.#onSecond(argv, cwd, data));
      });
    }).listen(socket);
    const handle = openSync(file, 'wx');
    writeSync(handle, JSON.stringify({ pid: process.pid, socket }));
    closeSync(handle);
    this.#file = file;
    this.held = true;
    return true;
  }

  /** Lets go of the lock, or waits until the first instance has heard. */
  async close(): Promise<void> {
    await this.#sent;
    this.#server?.close();
    if (this.#file !== undefined) rmSync(this.#file, { force: true });
  }
}

function read(file: string): { pid: number; socket: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { pid: number; socket: string };
  } catch {
    return undefined;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const tell = (socket: string, message: object): Promise<void> =>
  new Promise((resolve) => {
    const connection = connect(socket);
    connection.on('close', () => resolve()).on('error', () => undefined);
    connection.resume().end(JSON.stringify(message));
  });
