import type { ServerResponse } from 'node:http';
import { messageOf } from './status.ts';
import { write } from './streams.ts';

/** JSON progress of long requests (build, pull, push, load): one object a line, each flushed as it is written. */
export interface Progress {
  /** False when the client is gone. */
  send(message: Readonly<Record<string, unknown>>): Promise<boolean>;
  /** The only way to report an error after the first byte: both spellings, since clients before 1.48 read `error`. */
  fail(error: unknown): Promise<void>;
  end(): void;
}

/** Sends the headers at once. */
export function startProgress(response: ServerResponse): Progress {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  const send = (message: Readonly<Record<string, unknown>>): Promise<boolean> =>
    write(response, `${JSON.stringify(message)}\r\n`);
  return {
    send,
    async fail(error) {
      const message = messageOf(error);
      await send({ errorDetail: { message }, error: message });
    },
    end: () => void response.end(),
  };
}
