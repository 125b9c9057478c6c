import type { ChannelRequest } from '../contract/channels.ts';
import { Input, sendOutput, type Later } from './channel-attach.ts';
import type { Channel } from './channels.ts';

/** A program in a container that runs, and its terminal. It ends with the channel. `done` settles when it has ended, after its exit code was sent. */
export function openExec(
  channel: Channel,
  request: Extract<ChannelRequest, { t: 'exec' }>,
): { readonly done: Promise<void>; take(later: Later): void } {
  const { execs } = channel.engine;
  const opened = Promise.withResolvers<(later: Later) => void>();
  // What comes before the program is there waits for it; without one nobody wants it.
  opened.promise.catch(() => undefined);
  const failed = Promise.withResolvers<never>();

  const run = async (): Promise<void> => {
    const { id } = await execs.create(request.id, {
      command: request.command,
      env: request.env ?? [],
      ...(request.workingDir === undefined ? {} : { workingDir: request.workingDir }),
      tty: request.tty,
      attachStdin: true,
      attachStdout: true,
      attachStderr: true,
      consoleSize: [request.rows, request.columns],
    });
    if (channel.signal.aborted) return;
    const attachment = execs.attach(id);
    // Asked for now: a container that goes when it ends takes its execs along.
    const ended = execs.wait(id);
    channel.signal.addEventListener(
      'abort',
      () => {
        attachment.close();
        execs.end(id).catch(() => undefined); // gone with its container
      },
      { once: true },
    );
    const input = new Input(channel, attachment);
    opened.resolve((later) => {
      if (later.t === 'input') input.write(Buffer.from(later.data, 'base64'));
      else if (later.t === 'inputEnd') input.end();
      else execs.resize(id, later.rows, later.columns).catch(() => undefined); // it has just ended
    });
    await sendOutput(channel, attachment);
    if (channel.signal.aborted) return;
    channel.send({ t: 'exit', exitCode: (await ended).exitCode });
  };

  const done = Promise.race([run(), failed.promise]);
  done.catch(opened.reject);
  return {
    done,
    take: (later) => void opened.promise.then((take) => take(later)).catch(failed.reject),
  };
}
