/** `docker exec`, first half: what to run is settled and kept until it is started. */
import { randomBytes } from 'node:crypto';
import { conflict, invalid } from '../../../base/errors.ts';
import type { ExecSpec } from '../../api/index.ts';
import type { Container } from '../container.ts';
import type { Context } from '../context.ts';
import { announce } from '../transitions.ts';
import { isWasmer } from '../wasmer.ts';
import { commandOf, Exec } from './exec.ts';

/** @throws notFound, conflict unless the container runs, invalid */
export async function create(
  context: Pick<Context, 'store' | 'timers' | 'emit'>,
  ref: string,
  spec: ExecSpec,
): Promise<{ readonly id: string }> {
  const container = context.store.find(ref);
  await container.starting;
  return { id: addExec(context, container, spec).id };
}

/** @throws conflict, invalid */
export function addExec(context: Pick<Context, 'timers' | 'emit'>, container: Container, spec: ExecSpec): Exec {
  mustRun(container);
  check(container, spec);
  const exec = new Exec(randomBytes(32).toString('hex'), container, spec);
  container.execs.add(exec, context.timers.now());
  container.touch();
  announce(context, container, `exec_create: ${commandOf(spec)}`, { execID: exec.id });
  return exec;
}

/** Texts are moby's (daemon/exec.go getActiveContainer). @throws conflict */
export function mustRun(container: Container): void {
  const { id, state } = container;
  if (state === 'restarting') throw conflict(`container ${id} is restarting, wait until the container is running`);
  if (!container.isLive || container.execs.closed || container.removing)
    throw conflict(`container ${id} is not running`, { hint: `Start ${container.name} first.` });
  if (state === 'paused') throw conflict(`container ${id} is paused, unpause the container before exec`);
}

function check({ record }: Container, { command, env = [], workingDir, tty }: ExecSpec): void {
  if (command.length === 0 || command[0] === '') throw invalid('No exec command specified');
  for (const entry of env)
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`);
  if (workingDir !== undefined && !workingDir.startsWith('/'))
    throw invalid(`the working directory '${workingDir}' is invalid, it needs to be an absolute path`);
  for (const text of [...command, ...env, workingDir ?? ''])
    if (text.includes('\0')) throw invalid(`arguments and variables cannot hold a zero byte: ${JSON.stringify(text)}`);
  if (tty && isWasmer(record.config))
    throw invalid('the runtime wasmer cannot do this: a terminal (-t) needs output while the program runs', {
      hint: 'Leave -t out.',
    });
}
