/**
 * The state machine: created → running ⇄ paused → exited, restarting between two runs, removing at the end. One function a move; each writes the
 * record first and then tells, so that nobody is told of what a crash could take back.
 */
import { nowNano } from '../../base/clock.ts';
import { formatTime } from '../../base/log-format.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { writeRecord, type ContainerRecord } from './record.ts';

export const now = (): string => formatTime(nowNano());

/** An event about a container carries its image, its name and all its labels (docker-api.md §3). */
export function announce(
  { emit }: Pick<Context, 'emit'>,
  container: Container,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  const { config, name } = container.record;
  emit({
    type: 'container',
    action,
    actorId: container.id,
    attributes: { ...config.labels, image: config.image, name, ...more },
  });
}

/** Changes the record, on disk first. @throws full; then nothing has changed. */
export function update(container: Container, change: Partial<ContainerRecord>): void {
  const next = { ...container.record, ...change };
  if (!container.removing) writeRecord(container.directory, next);
  container.record = next;
}

/** The same where there is no way back: the run is over, whether the disk takes the note or not. */
function updateAnyway({ log }: Pick<Context, 'log'>, container: Container, change: Partial<ContainerRecord>): void {
  try {
    update(container, change);
  } catch (error) {
    log(
      `container ${container.name}: its record is not up to date on disk: ${error instanceof Error ? error.message : String(error)}`,
    );
    container.record = { ...container.record, ...change };
  }
}

/** What the record will say once the run has begun. It is written while the runner gets going, so that a crash finds it. */
export const asRunning = (record: ContainerRecord): ContainerRecord => ({
  ...record,
  state: 'running',
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: now(),
  starts: record.starts + 1,
  stoppedByUser: false,
});

/** created, exited or restarting → running. The record is on disk already. */
export function toRunning(context: Context, container: Container, record: ContainerRecord): void {
  container.record = record;
  announce(context, container, 'start');
}

/** The guest never ran: the state stays, the reason is kept. */
export function startFailed(context: Context, container: Container, exitCode: number, message: string): void {
  const { state } = container.record;
  updateAnyway(context, container, { state: state === 'restarting' ? 'exited' : state, exitCode, error: message });
}

/** @throws full */
export function toPaused(context: Context, container: Container): void {
  update(container, { state: 'paused' });
  announce(context, container, 'pause');
}

/** @throws full */
export function toUnpaused(context: Context, container: Container): void {
  update(container, { state: 'running' });
  announce(context, container, 'unpause');
}

export interface Ending {
  readonly exitCode: number;
  readonly error: string;
  readonly stoppedByUser: boolean;
  readonly oomKilled: boolean;
}

/** running or paused → exited, or → restarting when a restart policy has another try. `brief`: it is removed in a moment, the disk need not know. */
export function toEnded(
  context: Context,
  container: Container,
  ending: Ending,
  next: { readonly state: 'exited' | 'restarting'; readonly restartCount: number; readonly brief: boolean },
): void {
  const change = { ...ending, state: next.state, restartCount: next.restartCount, finishedAt: now() };
  if (next.brief) container.record = { ...container.record, ...change };
  else updateAnyway(context, container, change);
  announce(context, container, 'die', { exitCode: String(ending.exitCode) });
}

/** restarting → exited, without another run. */
export function toGivenUp(context: Context, container: Container, stoppedByUser: boolean): void {
  updateAnyway(context, container, { state: 'exited', stoppedByUser });
}

/** → removing: from here on it is refused to everybody. */
export function toRemoving(container: Container): void {
  container.removing = true;
  container.touch();
}
