import { oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

/** A second program in a container (`docker exec`): running, or created and not started yet. */
export const execRow = z.object({
  id: z.string(),
  /** Program and arguments. */
  command: z.array(z.string()),
  running: z.boolean(),
  tty: z.boolean(),
  /** Of the hosting process; 0 unless it runs. */
  pid: z.number(),
  /** Milliseconds since the epoch, 0 = not started. */
  startedAt: z.number(),
});
export type ExecRow = z.infer<typeof execRow>;

const base = oc.errors({ DRYDOCK: { data: failure } });

/** A terminal in a container is opened by a channel (channels.ts, `exec`). */
export const execs = {
  /** Those of a container that have not ended, oldest first. */
  list: base.input(z.object({ container: z.string().min(1) })).output(z.array(execRow)),
  /** Ends the program; done when it has ended. */
  end: base.input(z.object({ id: z.string().min(1) })).output(z.void()),
};
