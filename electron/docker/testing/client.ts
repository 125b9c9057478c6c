import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineApi } from '../../engine/api/index.ts';
import { serveDocker } from '../listen.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): unknown;
}

export interface Door extends AsyncDisposable {
  readonly socketPath: string;
  readonly logged: string[];
  /** One request; the body is sent as JSON when it is an object. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** A bare connection, with everything received so far. */
  open(text: string): Promise<RawConnection>;
}

/** Serves an engine on a socket in a new folder. */
export async function openDoor(engine: EngineApi): Promise<Door> {
  const folder = await mkdtemp(join(tmpdir(), 'door-'));
  const socketPath = join(folder, 'd.sock');
  const logged: string[] = [];
  const door = await serveDocker(engine, { socketPath, version: '9.9.9', log: (line) => logged.push(line) });
  return {
    socketPath,
    logged,
    ask: (method, path, body, headers) => ask(socketPath, method, path, body, headers),
    open: (text) => RawConnection.open(socketPath, text),
    async [Symbol.asyncDispose]() {
      await door.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type = payload === undefined ? {} : { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers: { ...type, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text,
          json: () => JSON.parse(text) as unknown,
        });
      });
    });
    sent.on('error', reject);
    sent.end(payload);
  });
}

/** A socket as a client that hijacks has it. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => this.#wake.splice(0).forEach((each) => each());
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      wake();
    });
    for (const event of ['end', 'close', 'error'])
      socket.on(event, () => {
        this.#ended = true;
        wake();
      });
  }

  static open(path: string, text: string): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.write(text);
        resolve(new RawConnection(socket));
      });
    });
  }

  get received(): Buffer {
    return this.#received;
  }

  /** Waits until the text was received. */
  async until(text: string): Promise<void> {
    while (!this.#received.includes(text)) {
      if (this.#ended)
        throw new Error(`the connection ended before ${JSON.stringify(text)}: ${this.#received.toString()}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Waits for the end of what the server sends, and gives it all. */
  async finished(): Promise<Buffer> {
    while (!this.#ended) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.#received;
  }
}
