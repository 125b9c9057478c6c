import { channelRequest, type ChannelMessage, type ChannelRequest } from '../contract/channels.ts';
import { invalid } from '../base/errors.ts';
import type { EngineApi } from '../engine/api/index.ts';
import { sendLogs } from './channel-logs.ts';
import { openAttachment, type Later } from './channel-attach.ts';
import { openExec } from './channel-exec.ts';
import { Credits } from './credits.ts';
import { failureOf } from './status.ts';
import type { Link } from './link.ts';

/** What a channel's work may use. */
export interface Channel {
  readonly engine: EngineApi;
  /** Aborted when the channel is closed from either side. */
  readonly signal: AbortSignal;
  /** Waits for a credit and sends. False when the channel is closed. */
  sendPaid(message: ChannelMessage): Promise<boolean>;
  send(message: ChannelMessage): void;
  pause(): void;
  resume(): void;
}

/** A message as it came: a value from a port, JSON text from a socket. */
function requestOf(message: unknown): ChannelRequest {
  let value = message;
  if (typeof message === 'string') {
    try {
      value = JSON.parse(message);
    } catch {
      throw invalid('The channel understands JSON messages only');
    }
  }
  const parsed = channelRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`Not a channel message: ${issue?.path.join('.') || 'message'}: ${issue?.message ?? 'unknown'}`);
}

/** Serves one log or terminal on a link (electron/contract/channels.ts) until either side closes it. */
export function serveChannel(engine: EngineApi, link: Link<unknown, ChannelMessage>): void {
  const abort = new AbortController();
  const credits = new Credits(abort.signal);
  let later: ((request: Later) => void) | undefined;

  const channel: Channel = {
    engine,
    signal: abort.signal,
    send: (message) => {
      if (!abort.signal.aborted) void link.send(message);
    },
    async sendPaid(message) {
      if (!(await credits.take())) return false;
      await link.send(message);
      return !abort.signal.aborted;
    },
    pause: () => link.pause(),
    resume: () => link.resume(),
  };

  const fail = (error: unknown): void => {
    if (abort.signal.aborted) return;
    const { message, hint } = failureOf(error);
    channel.send(hint === undefined ? { t: 'error', message } : { t: 'error', message, hint });
    link.close();
  };
  /** Runs the channel's work to its end. */
  const run = (work: Promise<void>): void => {
    work.then(() => {
      channel.send({ t: 'end' });
      link.close();
    }, fail);
  };

  let opened = false;
  const open = (request: ChannelRequest): void => {
    opened = true;
    if (request.t === 'logs') {
      run(sendLogs(channel, request));
    } else if (request.t === 'attach') {
      const attachment = openAttachment(channel, request);
      later = attachment.take;
      run(attachment.done);
    } else if (request.t === 'exec') {
      const exec = openExec(channel, request);
      later = exec.take;
      run(exec.done);
    } else {
      throw invalid('A channel begins with "logs", "attach" or "exec"');
    }
  };

  link.onClose(() => abort.abort());
  link.onMessage((message) => {
    try {
      const request = requestOf(message);
      if (request.t === 'credit') credits.add(request.n);
      else if (!opened) open(request);
      else if (request.t === 'logs' || request.t === 'attach' || request.t === 'exec')
        throw invalid('The channel is open already');
      else later?.(request);
    } catch (error) {
      fail(error);
    }
  });
}
