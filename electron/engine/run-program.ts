/** RUN of a build: one run of a program in a stage's file system. Its output is read from a log like a container's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { cancelled } from '../base/errors.ts';
import type { Run, SupervisorApi } from '../supervisor/api.ts';
import { guestPath } from './containers/config.ts';
import { verdict } from './containers/exit.ts';
import { checkLimits, cpuLimit, limitsOfRun } from './containers/limits.ts';
import { ContainerLog } from './containers/logs/container-log.ts';
import type { ProgramOutput, ProgramRequest, ProgramRunner } from './builder/build.ts';
import { joinForRun, type RunNetworkParts } from './run-network.ts';

export interface ProgramRunnerParts extends RunNetworkParts {
  readonly supervisor: SupervisorApi;
  /** Where the output's log is kept meanwhile. */
  readonly tmp: string;
}

/** Exit codes as for containers: a trap is 134, out of memory and an end from outside 137. @throws what a start of a container throws; cancelled */
export function programRunner(parts: ProgramRunnerParts): ProgramRunner {
  return async function* run(request: ProgramRequest, signal: AbortSignal | undefined): AsyncGenerator<ProgramOutput> {
    if (signal?.aborted) throw cancelled('the build was cancelled');
    const { memory, nanoCpus, openFiles } = request;
    const limits = { memory, nanoCpus, openFiles, pidsLimit: 0, storageSize: 0 };
    checkLimits(limits);
    // As for a container, whose id it takes the place of: names of it are known on its network.
    const id = randomBytes(32).toString('hex');
    const network = joinForRun(parts, id, request);
    const directory = mkdtempSync(join(parts.tmp, 'run-'));
    const log = new ContainerLog(join(directory, 'logs'), 0);
    const output = log.attach({ stdout: true, stderr: true }, { replay: false, stream: true });
    log.begin();
    let run: Run | undefined;
    let over: Promise<unknown> | undefined;
    const abort = (): void => run?.terminate();
    signal?.addEventListener('abort', abort);
    try {
      run = parts.supervisor.start(
        {
          spec: {
            id: `${id}:1`,
            module: request.program,
            args: request.argv,
            env: [...guestPath(request.env), `PWD=${request.workingDir}`],
            mounts: [
              { type: 'overlay', target: '/', lower: request.lower, upper: request.upper, readOnly: false },
              ...request.mounts.map((mount) => ({ ...mount, type: 'bind' as const, readOnly: true })),
            ],
            stdin: 'closed',
            log: { directory: log.directory, maxFiles: 1 },
            ...(network.member ? { net: network.member.spec } : {}),
            ...limitsOfRun(limits),
          },
          isolation: 'process',
          // Never recycled with a container's: the stage is no image yet.
          imageId: `build:${request.group}`,
          ...cpuLimit(limits),
        },
        {
          grown: (offset) => log.grown(offset),
          ask: (ask) => network.member?.ask(ask) ?? Promise.resolve({ error: 'unreachable' }),
        },
      );
      await run.started;
      const ended = run.ended.then((end) => {
        log.endRun(end.offset);
        return end;
      });
      over = ended;
      for await (const batch of output) for (const { stream, data } of batch) yield { stream, data };
      const end = await ended;
      if (signal?.aborted) throw cancelled('the build was cancelled');
      yield verdict(end, undefined);
    } catch (error) {
      throw signal?.aborted ? cancelled('the build was cancelled') : error;
    } finally {
      signal?.removeEventListener('abort', abort);
      run?.terminate();
      // It may write until then, and what it writes to is removed next.
      await over?.catch(() => undefined);
      output.close();
      network.leave();
      rmSync(directory, { recursive: true, force: true });
    }
  };
}
