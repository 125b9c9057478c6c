import { conflict } from '../../../base/errors.ts';
import type { Context } from '../context.ts';
import { findExec } from './find.ts';

/** Before the start it is kept for it: the CLI asks as soon as it can. @throws notFound, conflict when it has ended */
export async function resizeExec(
  context: Pick<Context, 'store' | 'timers'>,
  id: string,
  rows: number,
  columns: number,
): Promise<void> {
  const exec = findExec(context, id);
  if (exec.state === 'ended') throw conflict(`exec command ${id} has already run`);
  if (rows > 0 && columns > 0) exec.consoleSize = [rows, columns];
  if (exec.state === 'running' && exec.spec.tty) exec.run?.resize(rows, columns);
}
