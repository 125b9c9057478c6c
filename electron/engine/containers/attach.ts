/** `docker attach`: a cursor over the log, and stdin. */
import type { Attachment, AttachOptions } from '../api/index.ts';
import type { Context } from './context.ts';
import { announce } from './transitions.ts';

/** Before a start as well: nothing of the next run is missed, and what is written to stdin is kept for it. @throws notFound */
export function attach(context: Pick<Context, 'store' | 'emit'>, ref: string, options: AttachOptions): Attachment {
  const container = context.store.find(ref);
  const { config } = container.record;
  const output = container.log.attach(
    { stdout: options.stdout, stderr: options.stderr },
    { replay: options.logs, stream: options.stream },
  );
  announce(context, container, 'attach');
  const { stdin } = container;
  return {
    tty: config.tty,
    output,
    stdin:
      options.stdin && config.openStdin ? { write: (bytes) => stdin.write(bytes), end: () => stdin.end() } : undefined,
    close: () => output.close(),
  };
}
