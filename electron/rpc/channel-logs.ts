import type { ChannelRequest, LogLine } from '../contract/channels.ts';
import type { Channel } from './channels.ts';
import { LogLines } from './log-lines.ts';

/** Of one message. */
const maxLines = 2000;
const maxText = 256 * 1024;

/** How long a following log must have nothing to say before it counts as caught up, ms. */
const quiet = 50;

/** Sends a container's log: its last lines, then (follow) what comes. Reads no further than the client has given credits for. */
export async function sendLogs(channel: Channel, request: Extract<ChannelRequest, { t: 'logs' }>): Promise<void> {
  const { id, tail, follow } = request;
  const batches = channel.engine.containers
    .logs(id, { stdout: true, stderr: true, follow, ...(tail < 0 ? {} : { tail }) }, channel.signal)
    [Symbol.asyncIterator]();
  const lines = new LogLines();
  let pending: LogLine[] = [];
  let size = 0;
  let caughtUp = false;

  const flush = async (): Promise<boolean> => {
    if (pending.length === 0) return true;
    const message = { t: 'lines', lines: pending } as const;
    pending = [];
    size = 0;
    return channel.sendPaid(message);
  };
  const catchUp = (): void => {
    if (!caughtUp) channel.send({ t: 'caughtUp' });
    caughtUp = true;
  };

  try {
    for (;;) {
      const next = batches.next();
      if (follow && !caughtUp && (await isPending(next))) catchUp();
      const result = await next;
      if (result.done || channel.signal.aborted) break;
      for (const entry of result.value) {
        for (const line of lines.of(entry)) {
          if (pending.length >= maxLines || size + line[2].length > maxText) {
            if (!(await flush())) return;
          }
          pending.push(line);
          size += line[2].length;
        }
      }
      if (!(await flush())) return;
    }
    catchUp();
  } finally {
    await batches.return?.();
  }
}

/** True when the promise has not settled after the quiet time. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const settled = promise.then(
    () => false,
    () => false,
  );
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), quiet);
  });
  const answer = await Promise.race([settled, late]);
  clearTimeout(timer);
  return answer;
}
