import { full } from '../base/errors.ts';
import type { ChannelRequest } from '../contract/channels.ts';
import type { Attachment } from '../engine/api/index.ts';
import type { Channel } from './channels.ts';

/** Raw bytes of one output message. */
const maxOutput = 64 * 1024;
/** Bytes of input that may wait for the program: above the first the other side is held back, above the second (a port cannot be) it ends. */
const holdInput = 1 << 20;
const maxInput = 16 << 20;

export type Later = Extract<ChannelRequest, { t: 'input' | 'inputEnd' | 'resize' }>;

/** A terminal: output out against credits, keystrokes in. `done` settles when the run ends or the channel is closed. */
export function openAttachment(
  channel: Channel,
  request: Extract<ChannelRequest, { t: 'attach' }>,
): { readonly done: Promise<void>; take(later: Later): void } {
  const { containers } = channel.engine;
  const attachment = containers.attach(request.id, {
    stdin: true,
    stdout: true,
    stderr: true,
    logs: request.logs,
    stream: true,
  });
  channel.signal.addEventListener('abort', () => attachment.close(), { once: true });
  const resize = (rows: number, columns: number): void => {
    // Only a terminal that runs has a size; one that has just ended needs none.
    if (attachment.tty) containers.resize(request.id, rows, columns).catch(() => undefined);
  };
  resize(request.rows, request.columns);
  const input = new Input(channel, attachment);
  return {
    done: sendOutput(channel, attachment),
    take(later) {
      if (later.t === 'resize') resize(later.rows, later.columns);
      else if (later.t === 'input') input.write(Buffer.from(later.data, 'base64'));
      else input.end();
    },
  };
}

/** Keystrokes and pasted text on their way to the program, in order. */
export class Input {
  readonly #channel: Channel;
  readonly #stdin: Attachment['stdin'];
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #held = false;

  constructor(channel: Channel, attachment: Attachment) {
    this.#channel = channel;
    this.#stdin = attachment.stdin;
  }

  write(bytes: Uint8Array): void {
    const stdin = this.#stdin;
    if (!stdin || bytes.length === 0) return;
    if (this.#waiting + bytes.length > maxInput) {
      throw full('The program does not read its input', { hint: 'Send less at once, or pipe it with docker run -i.' });
    }
    this.#waiting += bytes.length;
    if (this.#waiting > holdInput && !this.#held) {
      this.#held = true;
      this.#channel.pause();
    }
    this.#last = this.#last
      .then(() => stdin.write(bytes))
      .catch(() => undefined) // the run has ended: nobody reads
      .then(() => {
        this.#waiting -= bytes.length;
        if (this.#held && this.#waiting <= holdInput) {
          this.#held = false;
          this.#channel.resume();
        }
      });
  }

  end(): void {
    void this.#last.then(() => this.#stdin?.end());
  }
}

/** All of it, against credits, then the attachment is closed. */
export async function sendOutput(channel: Channel, attachment: Attachment): Promise<void> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let stream: 1 | 2 = 1;
  const flush = async (): Promise<boolean> => {
    if (size === 0) return true;
    const data = Buffer.concat(chunks, size).toString('base64');
    chunks = [];
    size = 0;
    return channel.sendPaid({ t: 'output', stream, data });
  };
  try {
    for await (const batch of attachment.output) {
      for (const entry of batch) {
        for (let at = 0; at < entry.data.length;) {
          if ((stream !== entry.stream || size === maxOutput) && !(await flush())) return;
          stream = entry.stream;
          const piece = entry.data.subarray(at, at + maxOutput - size);
          chunks.push(piece);
          size += piece.length;
          at += piece.length;
        }
      }
      if (!(await flush())) return;
    }
  } finally {
    attachment.close();
  }
}
