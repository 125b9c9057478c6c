/** The size of a container's terminal. */
import { conflict } from '../../base/errors.ts';
import type { Context } from './context.ts';

/** @throws notFound, conflict when it does not run; the size is then kept for the start, since the CLI may ask a moment too early */
export async function resize(
  context: Pick<Context, 'store'>,
  ref: string,
  rows: number,
  columns: number,
): Promise<void> {
  const container = context.store.find(ref);
  if (rows > 0 && columns > 0) container.consoleSize = [rows, columns];
  await container.starting;
  if (!container.active) throw conflict(`Container ${container.id} is not running`);
  container.active.run.resize(rows, columns);
}
