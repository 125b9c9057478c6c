/** `docker exec`, second half: a runner of its own over the container's files, environment and network. */
import { join, posix } from 'node:path';
import { conflict, DrydockError, toDrydockError } from '../../../base/errors.ts';
import type { Run, RunEnd } from '../../../supervisor/api.ts';
import type { RunSpec } from '../../../supervisor/protocol.ts';
import type { ExecEnd } from '../../api/index.ts';
import { guestEnv, mergeEnv } from '../config.ts';
import type { Context } from '../context.ts';
import { verdict } from '../exit.ts';
import { cpuLimit, limitsOfRun } from '../limits.ts';
import { mountsForRun } from '../mounts.ts';
import { preopensOf } from '../preopens.ts';
import { announce, now } from '../transitions.ts';
import { isWasmer } from '../wasmer.ts';
import { mustRun } from './create.ts';
import { commandOf, type Exec } from './exec.ts';
import { ExecOutput } from './output.ts';

/** Begins in this turn: what the program says and how it ends is seen by the exec's output and promises. @throws conflict */
export function startExec(context: Context, exec: Exec): void {
  const { id, container, spec } = exec;
  if (exec.state === 'ended') throw conflict(`exec command ${id} has already run`, { hint: 'Create another exec.' });
  if (exec.state !== 'created') throw conflict(`exec command ${id} is already running`);
  mustRun(container);
  exec.state = 'starting';
  exec.startedAt = now();
  exec.output = new ExecOutput(join(container.directory, 'execs', id), {
    stdout: spec.attachStdout === true,
    stderr: spec.attachStderr === true,
  });
  announce(context, container, `exec_start: ${commandOf(spec)}`, { execID: id });
  void begin(context, exec).catch((error: unknown) => failed(context, exec, toDrydockError(error)));
}

async function begin(context: Context, exec: Exec): Promise<void> {
  const { container, spec, output } = exec;
  const { record } = container;
  const lower = await context.roots.of(record.imageId);
  const mounts = mountsForRun(context, record, container.directory, lower);
  // The container may have ended meanwhile.
  if (exec.ending) return ended(context, exec, { outcome: { kind: 'terminated' }, offset: 0, usage: undefined });
  const runId = `${exec.id}:1`;
  const member = container.net?.namespace.member(runId, []);
  const run = context.supervisor.start(
    {
      spec: { ...runSpec(exec, mounts), id: runId, ...(member ? { net: member.spec } : {}) },
      isolation: record.config.isolation === 'strict' ? 'strict' : 'process',
      imageId: record.imageId,
      ...cpuLimit(record.config),
    },
    {
      grown: (offset) => output?.grown(offset),
      ...(member ? { ask: (ask) => member.ask(ask) } : {}),
    },
  );
  exec.run = run;
  output?.writtenBy(run);
  if (spec.attachStdin) exec.stdin.connect(run);
  try {
    await run.started;
  } catch (error) {
    member?.leave();
    throw error;
  }
  running(exec, run);
  void run.ended
    .then((end) => {
      member?.leave();
      ended(context, exec, end);
    })
    .catch((error: unknown) =>
      context.log(
        `exec in container ${container.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      ),
    );
}

function runSpec(
  { spec, container, consoleSize, output }: Exec,
  mounts: RunSpec['mounts'],
): Omit<RunSpec, 'id' | 'net'> {
  const { config } = container.record;
  const [program = ''] = spec.command;
  const tty = spec.tty === true;
  const [rows, columns] = consoleSize;
  return {
    module: program,
    args: spec.command,
    ...(isWasmer(config) ? { runtime: 'wasmer' as const } : {}),
    env: guestEnv({
      ...config,
      tty,
      hostname: container.net?.shared.owner.hostname ?? config.hostname,
      workingDir:
        spec.workingDir === undefined ? config.workingDir : posix.normalize(spec.workingDir).replace(/(.)\/$/, '$1'),
      env: mergeEnv(config.env, spec.env ?? []),
    }),
    mounts,
    ...preopensOf(config.labels),
    stdin: spec.attachStdin ? 'open' : 'closed',
    ...(tty ? { tty: { rows, columns } } : {}),
    log: output?.spec ?? { directory: '', maxFiles: 1 },
    ...limitsOfRun(config),
  };
}

function running(exec: Exec, run: Run): void {
  exec.state = 'running';
  // What was asked while it could not be done yet.
  if (exec.ending) run.terminate();
  else if (exec.container.state === 'paused') run.pause();
  const [rows, columns] = exec.consoleSize;
  if (exec.spec.tty) run.resize(rows, columns);
  exec.settleBegin();
}

function ended(context: Context, exec: Exec, end: RunEnd): void {
  exec.container.execs.spend(end.usage);
  settle(context, exec, verdict(end, undefined), end.offset);
}

/** It never ran: as docker does, its terminal or output shows why. */
function failed(context: Context, exec: Exec, error: DrydockError): void {
  const known = error.data['exitCode'];
  // 126 stands for all that docker cannot start.
  const exitCode = known === 127 ? 127 : 126;
  const message = `${error.message}${shellHint(exec, exitCode)}`;
  exec.failure = new DrydockError('invalid', message, { hint: error.hint, data: { exitCode }, cause: error });
  settle(context, exec, { exitCode, error: message }, 0);
}

const shells = new Set(['sh', 'bash', 'ash', 'dash', 'zsh']);

const shellHint = ({ spec }: Exec, exitCode: number): string =>
  exitCode === 127 && shells.has(posix.basename(spec.command[0] ?? ''))
    ? ': this container has no shell (WebAssembly)'
    : '';

/** First the code, then the end of the output: the docker CLI asks for the one when it has seen the other. */
function settle(context: Context, exec: Exec, end: ExecEnd, offset: number | undefined): void {
  const { container } = exec;
  exec.state = 'ended';
  exec.end = end;
  exec.endedAt = context.timers.now();
  exec.run = undefined;
  exec.stdin.close();
  container.touch();
  announce(context, container, 'exec_die', { execID: exec.id, exitCode: String(end.exitCode) });
  exec.output?.end(
    offset,
    exec.failure === undefined || exec.ending
      ? undefined
      : { time: now(), stream: 1, partial: false, data: Buffer.from(`${end.error}\r\n`) },
  );
  exec.settleEnd(end);
}
