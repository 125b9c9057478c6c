import { rpc, type RouterDeps } from './deps.ts';
import { milliseconds } from './rows.ts';

/** execs.*: what runs in a container beside its own program. */
export function execsRouter({ engine: { execs } }: RouterDeps) {
  return {
    list: rpc.execs.list.handler(({ input }) =>
      execs.list(input.container).map(({ id, command, running, tty, pid, startedAt }) => ({
        id,
        command: [...command],
        running,
        tty,
        pid,
        startedAt: milliseconds(startedAt),
      })),
    ),
    end: rpc.execs.end.handler(async ({ input }) => void (await execs.end(input.id))),
  };
}
