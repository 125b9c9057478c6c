/** Reading the records of an earlier engine: what ran then does not run now. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf, SIGKILL } from './signals.ts';
import { Container } from './container.ts';
import type { Context } from './context.ts';
import { readRecord, writeRecord, type ContainerRecord } from './record.ts';
import { destroy } from './remove.ts';
import { shouldStartAtOpen } from './restart-policy.ts';
import { launch } from './start.ts';
import { now } from './transitions.ts';

/** Fills the store. A record that cannot be understood is set aside with a note, the rest opens. */
export function recover(context: Context, home: string): void {
  const records: ContainerRecord[] = [];
  for (const id of context.directories.ids()) {
    try {
      records.push(readRecord(context.directories.of(id), id));
    } catch (error) {
      const path = context.directories.setAside(id, join(home, 'damaged'));
      context.log(
        `container ${id}: its record cannot be read (${error instanceof Error ? error.message : String(error)}); it is set aside in ${path}`,
      );
    }
  }
  records.sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
  for (const found of records) {
    let record = corrected(found);
    if (context.store.isTaken(record.name)) {
      record = { ...record, name: `${record.name}_${record.id.slice(0, 12)}` };
      context.log(`container ${found.id}: its name ${found.name} is taken by another one; it is now ${record.name}`);
    }
    const directory = context.directories.of(record.id);
    if (record !== found) writeRecord(directory, record);
    // Output of execs that nobody can read any more.
    rmSync(join(directory, 'execs'), { recursive: true, force: true });
    context.store.add(new Container(directory, record));
    for (const { name } of record.mounts) if (name !== undefined) context.volumes.acquire(name, record.id);
  }
}

/** No events: nobody was there when it happened. */
function corrected(record: ContainerRecord): ContainerRecord {
  switch (record.state) {
    case 'running':
    case 'paused':
      return { ...record, state: 'exited', exitCode: exitCodeOf(SIGKILL), finishedAt: now(), stoppedByUser: false };
    case 'restarting':
      return { ...record, state: 'exited' };
    case 'created':
    case 'exited':
      return record;
    default:
      return { ...record, state: 'dead' };
  }
}

/** After everything is open: removes what `--rm` would have removed, and starts what its restart policy wants. Does not wait for the starts. */
export function resume(context: Context): void {
  for (const container of [...context.store.all()]) {
    const { record } = container;
    if (record.starts === 0) continue;
    if (record.config.autoRemove) destroy(context, container, { volumes: true });
    else if (record.state === 'exited' && shouldStartAtOpen(record.config.restartPolicy, record)) {
      launch(context, container).catch((error: unknown) =>
        context.log(
          `container ${container.name} could not be started again: ${error instanceof Error ? error.message : String(error)}`,
        ),
      );
    }
  }
}
