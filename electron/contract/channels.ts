import { z } from 'zod';

/**
 * Logs and terminals: a channel of their own beside RPC, with credits, because a log can be faster than any reader. The same messages as
 * values on a raw MessagePort (desktop; one port a channel) and as JSON text on a WebSocket at /channel (web; one socket a channel). The client opens, then grants credits;
 * the server sends at most one `lines` or `output` message per credit and waits for more. Either side closes the port or socket to end.
 */
export const channelRequest = z.discriminatedUnion('t', [
  /** First message. `tail`: lines from the end that are sent before following; −1 = all. */
  z.object({ t: z.literal('logs'), id: z.string(), tail: z.number().int(), follow: z.boolean() }),
  /** First message. Attaches to a running container with its stdin (if open); output is from now on unless `logs`. */
  z.object({
    t: z.literal('attach'),
    id: z.string(),
    logs: z.boolean(),
    rows: z.number().int(),
    columns: z.number().int(),
  }),
  /** First message. Runs a program in a container that runs, with a terminal or without; it ends with the channel. */
  z.object({
    t: z.literal('exec'),
    /** Of the container. */
    id: z.string(),
    command: z.array(z.string()).min(1).max(1000),
    /** KEY=value, over the container's. */
    env: z.array(z.string()).max(1000).optional(),
    workingDir: z.string().optional(),
    tty: z.boolean(),
    rows: z.number().int().min(1).max(1000),
    columns: z.number().int().min(1).max(1000),
  }),
  z.object({ t: z.literal('credit'), n: z.number().int().min(1).max(1000) }),
  /** attach and exec only; base64. */
  z.object({ t: z.literal('input'), data: z.string() }),
  z.object({ t: z.literal('inputEnd') }),
  z.object({
    t: z.literal('resize'),
    rows: z.number().int().min(1).max(1000),
    columns: z.number().int().min(1).max(1000),
  }),
]);
export type ChannelRequest = z.infer<typeof channelRequest>;

/** [time in ms since the epoch, 1 stdout | 2 stderr, text without its newline, 1 when the line continues in the next entry]. */
export type LogLine = readonly [time: number, stream: 1 | 2, text: string, partial: 0 | 1];

export type ChannelMessage =
  /** At most 2,000 lines or 256 KiB of text. */
  | { readonly t: 'lines'; readonly lines: readonly LogLine[] }
  /** attach and exec only; base64 of raw bytes, at most 64 KiB. */
  | { readonly t: 'output'; readonly stream: 1 | 2; readonly data: string }
  /** Everything there was has been sent; follow goes on. Sent once. */
  | { readonly t: 'caughtUp' }
  /** exec only, once, after all output. 126 and 127: it could not run, the output says why. */
  | { readonly t: 'exit'; readonly exitCode: number }
  | { readonly t: 'end' }
  | { readonly t: 'error'; readonly message: string; readonly hint?: string };
