import { mkdir, rm, stat } from 'node:fs/promises';
import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { conflict, invalid, toDrydockError } from '../base/errors.ts';
import type { EngineApi } from '../engine/api/index.ts';
import { dispatcher, mayHijack } from './dispatch.ts';
import { dockerRoutes } from './routes/index.ts';

export interface DockerDoorOptions {
  /** Absolute path of the Unix socket (on Windows the name of a pipe). */
  readonly socketPath: string;
  /** Drydock's own version. */
  readonly version: string;
  /** Told about what went wrong inside (status 500); ordinary refusals are the client's to show. */
  readonly log?: (line: string) => void;
}

export interface DockerDoor {
  /** Ends open connections and removes the socket file. Idempotent. */
  close(): Promise<void>;
}

/** Longest path that fits in sockaddr_un with its end mark, in bytes. */
const LONGEST_PATH = process.platform === 'darwin' ? 103 : 107;

/**
 * Serves the Docker Engine API on a Unix socket that only its owner may open. A socket file nobody answers on (left by a crash) is replaced.
 * @throws conflict when another program answers there; invalid when the path is too long or holds something that is not a socket
 */
export async function serveDocker(engine: EngineApi, options: DockerDoorOptions): Promise<DockerDoor> {
  const { socketPath, version, log = () => undefined } = options;
  const closing = new AbortController();
  const routes = dockerRoutes(engine, { version });
  const dispatch = dispatcher({ routes, version, closing: closing.signal, log });

  const server = createServer(
    {
      // dockerode repeats every create option in the query string.
      maxHeaderSize: 1 << 20,
      shouldUpgradeCallback: (request) => mayHijack(routes, request),
      // Waits, logs -f, events and attach stay open for days.
      requestTimeout: 0,
      keepAliveTimeout: 600_000,
    },
    (request, response) => void dispatch(request, response),
  );
  server.timeout = 0;
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    // Only an error is answered through the response; a hijack detaches it.
    response.once('finish', () => socket.end());
    void dispatch(request, response, { socket, head });
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  await listen(server, socketPath);
  server.on('error', (error) => log(`docker socket: ${error.message}`));
  let closed: Promise<void> | undefined;
  return {
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        closing.abort();
        for (const socket of sockets) socket.destroy();
      });
      return closed;
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  const pipe = process.platform === 'win32';
  if (!pipe) await makeRoom(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(toDrydockError(error)));
    // bind(2) happens inside listen(): with this mask the socket is never reachable by others, not even for a moment.
    const mask = pipe ? undefined : process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      if (mask !== undefined) process.umask(mask);
    }
  });
}

/** Makes the folder, and removes a socket file that nobody answers on. */
async function makeRoom(path: string): Promise<void> {
  const length = Buffer.byteLength(path);
  if (length > LONGEST_PATH)
    throw invalid(`the socket path ${path} is ${length} bytes long; the system allows ${LONGEST_PATH}`, {
      hint: 'choose a shorter path',
    });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const there = await stat(path).catch(() => undefined);
  if (!there) return;
  if (!there.isSocket())
    throw invalid(`${path} exists and is not a socket`, { hint: 'move it away or choose another socket path' });
  if (await answers(path))
    throw conflict(`another program answers on ${path}`, {
      hint: 'is Drydock running already? Stop it or choose another path',
    });
  await rm(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // EACCES and the like: somebody else's socket; not ours to replace.
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
