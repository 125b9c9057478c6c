import type { Duplex, Readable, Writable } from 'node:stream';
import type { Socket } from 'node:net';
import { cancelled, invalid } from '../base/errors.ts';
import type { Attachment } from '../engine/api/index.ts';
import { BODY_LIMIT } from './body.ts';
import type { Call } from './call.ts';
import { outputEncoder, outputType, write } from './streams.ts';

/** How long a client may take to close its side after we have ended ours, in ms. */
const LINGER = 10_000;

/**
 * Gives the connection of an attach (or exec start) over to a stream: client → stdin, raw; output → client, framed or raw by TTY.
 * With `Upgrade` the answer is `101 UPGRADED`; without it 200 and a body that lasts until the end (docker-api.md §2).
 * `early`: stdin that was read together with the request. `endsStdin`: the client's end of file is passed on (StdinOnce, exec);
 * it never ends the output, since the CLI half-closes right after 101 when it has no stdin. Resolves when the output has ended.
 */
export async function hijack(call: Call, attachment: Attachment, early: Buffer, endsStdin: boolean): Promise<void> {
  const { input, output, finish } = call.upgrade ? takeSocket(call, attachment.tty) : takeBody(call, attachment.tty);
  const leave = (): void => attachment.close();
  output.once('close', leave);
  call.gone.addEventListener('abort', leave, { once: true });
  void pumpStdin(input, early, attachment.stdin, endsStdin);
  try {
    const encoder = outputEncoder(attachment.tty);
    for await (const batch of attachment.output) {
      if (!(await write(output, encoder.encode(batch)))) break;
    }
  } finally {
    call.gone.removeEventListener('abort', leave);
    attachment.close();
    finish();
  }
}

/**
 * Node does not parse the body of an upgrade request: it lies in `head`, in later data, or in both. Reads exactly Content-Length bytes of it;
 * `rest` is stdin already (@throws invalid for more than BODY_LIMIT). Without an upgrade there is nothing to part: both are empty.
 */
export async function bodyBeforeUpgrade(call: Call): Promise<{ readonly body: Buffer; readonly rest: Buffer }> {
  if (!call.upgrade) return { body: Buffer.alloc(0), rest: Buffer.alloc(0) };
  const { socket } = call.upgrade;
  const length = Number(call.request.headers['content-length'] ?? 0) || 0;
  if (length > BODY_LIMIT) throw invalid(`the request body is larger than ${BODY_LIMIT} bytes`);
  let bytes = call.upgrade.head;
  while (bytes.length < length) {
    const chunk = await nextChunk(socket);
    if (!chunk) throw cancelled('the client left before it had sent the request body');
    bytes = Buffer.concat([bytes, chunk]);
  }
  return { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function nextChunk(socket: Duplex): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const data = (chunk: Buffer): void => {
      socket.pause();
      settle(chunk);
    };
    const end = (): void => settle(undefined);
    const settle = (chunk: Buffer | undefined): void => {
      socket.off('data', data);
      socket.off('end', end);
      socket.off('close', end);
      resolve(chunk);
    };
    socket.on('data', data);
    socket.on('end', end);
    socket.on('close', end);
    socket.resume();
  });
}

interface Wire {
  readonly input: Readable;
  readonly output: Writable;
  finish(): void;
}

function takeSocket(call: Call, tty: boolean): Wire {
  const { response } = call;
  const socket = call.upgrade?.socket as Socket;
  response.detachSocket(socket);
  const headers = Object.entries(response.getHeaders()).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  socket.write(
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${outputType(tty, call.version)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${headers.join('')}\r\n`,
  );
  return {
    input: socket,
    output: socket,
    finish() {
      if (socket.destroyed) return;
      // Closing at once would reset the connection while stdin still holds unread bytes, and the client could lose output: end, then read it dry.
      socket.end();
      socket.removeAllListeners('data').resume();
      const timer = setTimeout(() => socket.destroy(), LINGER);
      socket.once('close', () => clearTimeout(timer));
    },
  };
}

function takeBody(call: Call, tty: boolean): Wire {
  const { request, response } = call;
  // No length and no chunks: older clients read the bare bytes until the end of the connection.
  response.removeHeader('Transfer-Encoding');
  response.writeHead(200, { 'Content-Type': outputType(tty, call.version), Connection: 'close' });
  response.flushHeaders();
  return { input: request, output: response, finish: () => void response.end() };
}

async function pumpStdin(
  input: Readable,
  early: Buffer,
  stdin: Attachment['stdin'],
  endsStdin: boolean,
): Promise<void> {
  if (!stdin) return void input.resume();
  if (early.length > 0) await stdin.write(early).catch(ignore);
  input.on('data', (chunk: Buffer) => {
    input.pause();
    void stdin
      .write(chunk)
      .catch(ignore)
      .then(() => input.resume());
  });
  input.once('end', () => {
    if (endsStdin) stdin.end();
  });
  input.resume();
}

/** stdin of a program that has ended goes nowhere, as with a pipe whose reader ignores it. */
const ignore = (): void => undefined;
