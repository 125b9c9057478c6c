/** The end of execs from outside: with their container, or by whoever has opened one. */
import type { Container } from '../container.ts';
import type { Exec } from './exec.ts';

/** Ends the program and resolves when its end is recorded and told. False when it did not run. */
export async function endExec(exec: Exec): Promise<boolean> {
  if (!exec.isLive) return false;
  exec.ending = true;
  exec.run?.terminate();
  await exec.ended;
  return true;
}

/** The container's run is over: so are its execs, and none begins until the next run. Undefined when there is nothing to wait for. */
export function endExecs({ execs }: Container): Promise<unknown> | undefined {
  execs.closed = true;
  const live = execs.live();
  return live.length === 0 ? undefined : Promise.all(live.map(endExec));
}

/** The container's directory is about to go. */
export function forgetExecs({ execs }: Container): void {
  for (const exec of execs.all()) exec.output?.detach();
}
