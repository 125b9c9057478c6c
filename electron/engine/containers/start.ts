/** `docker start`: from a record to a guest that runs. */
import { conflict, kindOf, toDrydockError, unavailable } from '../../base/errors.ts';
import type { Isolation, Run, RunStarted } from '../../supervisor/api.ts';
import type { RunSpec } from '../../supervisor/protocol.ts';
import { guestEnv } from './config.ts';
import { joinNetworks, leaveNetworks } from './connect.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { whenEnded } from './exit.ts';
import { beginHealth } from './health.ts';
import { probeCommand } from './healthcheck.ts';
import { cpuLimit, limitsOfRun } from './limits.ts';
import { listenersOf, withListeners } from './listeners.ts';
import { logSpec } from './log-options.ts';
import { forgetUsage, mountsForRun } from './mounts.ts';
import { enterNamespace, giveUpPart, portFailure, portsOpened, takePart } from './namespace.ts';
import { preopensOf } from './preopens.ts';
import { writeRecord, type ContainerRecord } from './record.ts';
import { destroy } from './remove.ts';
import { asRunning, startFailed, toRunning, update } from './transitions.ts';
import { traceOf } from './trace.ts';
import { isWasmer } from './wasmer.ts';

/** False when it runs already. @throws notFound, conflict; and what the start failed with: `data.exitCode` is then 125, 126 or 127 */
export async function start(context: Context, ref: string): Promise<boolean> {
  const container = context.store.find(ref);
  refuse(container);
  if (container.starting) {
    await container.starting;
    if (container.isLive) return false;
    refuse(container);
  }
  if (container.isLive || container.state === 'restarting') return false;
  if (container.record.restartCount !== 0) update(container, { restartCount: 0 });
  container.restartDelay = 0;
  await launch(context, container);
  return true;
}

function refuse(container: Container): void {
  if (container.state === 'paused') throw conflict('cannot start a paused container, try unpause instead');
  if (container.removing || container.state === 'dead')
    throw conflict('container is marked for removal and cannot be started');
}

/**
 * One attempt, by a user or by a restart policy. Nobody else starts or changes the container until it is settled, and when the caller goes on it is.
 */
export async function launch(context: Context, container: Container): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  container.starting = promise;
  try {
    await begin(context, container);
  } finally {
    container.starting = undefined;
    container.launching = undefined;
    container.askedEarly = undefined;
    resolve();
  }
}

async function begin(context: Context, container: Container): Promise<void> {
  try {
    if (context.closing) throw unavailable('the engine is shutting down');
    const lower = await context.roots.of(container.record.imageId);
    const probe = container.record.config.healthcheck && (await probeCommand(context, container.record));
    const record = asRunning(container.record);
    if (record.config.storageSize) forgetUsage(container.directory);
    const mounts = mountsForRun(context, record, container.directory, lower);
    joinNetworks(context, container);
    enterNamespace(context, container);
    container.log.begin();
    const run = await getGoing(context, container, record, mounts);
    whenEnded(context, container, run, () => {
      toRunning(context, container, record);
      beginHealth(context, container, probe);
      for (const mount of record.mounts)
        if (mount.name !== undefined)
          context.volumes.announce('mount', mount.name, {
            container: container.id,
            destination: mount.target,
            'read/write': String(!mount.readOnly),
          });
    });
  } catch (error) {
    throw fail(context, container, error);
  }
}

/** Tries of a start whose ports of the host were chosen for it: each may be taken by a stranger before the runner opens it. */
const tries = 5;

async function getGoing(
  context: Context,
  container: Container,
  record: ContainerRecord,
  mounts: RunSpec['mounts'],
): Promise<Run> {
  const spec = runSpec(container, record, mounts);
  for (let tried = 1; ; tried++) {
    const { member, booked } = await takePart(context, container, spec.id);
    const run = context.supervisor.start(
      {
        spec: { ...spec, net: member.spec },
        isolation: isolationOf(container, record),
        imageId: record.imageId,
        ...cpuLimit(record.config),
      },
      { grown: (offset) => container.log.grown(offset), ask: (ask) => member.ask(ask) },
    );
    container.launching = run;
    if (container.askedEarly) run.terminate();
    // What was typed before the start goes to the run that lasts.
    if (record.config.openStdin && !booked.chosen) container.stdin.connect(run);
    try {
      const { ports } = await began(container, record, run);
      portsOpened(container, booked, ports);
      if (record.config.openStdin && booked.chosen) container.stdin.connect(run);
      return run;
    } catch (error) {
      if (!booked.chosen || kindOf(error) !== 'conflict' || tried === tries) throw portFailure(container, error);
      giveUpPart(context, container);
    }
  }
}

/**
 * A guest that computes is moved out of a shared process, until the engine is opened anew; one whose CPU time is limited needs a process that can be
 * stopped.
 */
function isolationOf({ hogged }: Container, { config }: ContainerRecord): Isolation {
  const alone = hogged || isWasmer(config) || config.nanoCpus > 0;
  return alone && config.isolation === 'shared' ? 'process' : config.isolation;
}

/** Writes the record while the runner gets going, then waits for it. A record that cannot be written ends the run: it would be lost to the next open. */
async function began(container: Container, record: ContainerRecord, run: Run): Promise<RunStarted> {
  try {
    writeRecord(container.directory, record);
  } catch (error) {
    run.terminate();
    await run.started.then(
      () => run.ended,
      () => {},
    );
    throw error;
  }
  return run.started;
}

function runSpec(container: Container, record: ContainerRecord, mounts: RunSpec['mounts']): RunSpec {
  const { config } = record;
  const [rows, columns] = container.consoleSize;
  const listeners = listenersOf(config.labels);
  return {
    id: `${record.id}:${record.starts}`,
    module: record.path,
    args: [record.path, ...record.args],
    ...(isWasmer(config) ? { runtime: 'wasmer' as const } : {}),
    env: withListeners(
      guestEnv({ ...config, hostname: container.net?.shared.owner.hostname ?? config.hostname }),
      listeners,
    ),
    mounts,
    ...preopensOf(config.labels),
    ...(listeners.length > 0 ? { listeners } : {}),
    stdin: config.openStdin ? 'open' : 'closed',
    log: logSpec(container.log.directory, config.logOptions),
    ...(config.tty ? { tty: { rows, columns } } : {}),
    ...limitsOfRun(config),
    ...traceOf(container),
  };
}

/** Everything is as if the start had not been tried, but for the reason; those who wait are told. */
function fail(context: Context, container: Container, thrown: unknown): unknown {
  const error = toDrydockError(thrown);
  const known = error.data['exitCode'];
  const exitCode = typeof known === 'number' ? known : 125;
  container.stdin.disconnect();
  leaveNetworks(context, container);
  startFailed(context, container, exitCode, error.message);
  container.log.endRun(undefined);
  container.log.settle();
  container.waiters.exited({ exitCode });
  if (container.record.config.autoRemove && !container.removing) destroy(context, container, { volumes: true });
  return error;
}
