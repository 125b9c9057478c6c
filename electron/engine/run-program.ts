/** RUN of a build: one run of a program in a stage's file system. Its output is read from a log like a container's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { SupervisorApi } from '../supervisor/api.ts';
import { guestPath } from './containers/config.ts';
import { ContainerLog } from './containers/logs/container-log.ts';
import type { ProgramOutput, ProgramRequest, ProgramRunner } from './builder/build.ts';

/** Exit codes as for containers: a trap is 134, an end from outside 137. `tmp`: where the output's log is kept meanwhile. */
export function programRunner(supervisor: SupervisorApi, tmp: string): ProgramRunner {
  return async function* run(request: ProgramRequest, signal: AbortSignal | undefined): AsyncGenerator<ProgramOutput> {
    signal?.throwIfAborted();
    const directory = mkdtempSync(join(tmp, 'run-'));
    const log = new ContainerLog(join(directory, 'logs'), 0);
    const output = log.attach({ stdout: true, stderr: true }, { replay: false, stream: true });
    log.begin();
    const run = supervisor.start(
      {
        spec: {
          id: `build-${randomUUID()}:1`,
          module: request.program,
          args: request.argv,
          env: [...guestPath(request.env), `PWD=${request.workingDir}`],
          mounts: [{ type: 'overlay', target: '/', lower: request.lower, upper: request.upper, readOnly: false }],
          stdin: 'closed',
          log: { directory: log.directory, maxFiles: 1 },
        },
        isolation: 'process',
        // Never recycled with a container's: the stage is no image yet.
        imageId: `build:${request.group}`,
      },
      { grown: (offset) => log.grown(offset) },
    );
    const abort = (): void => run.terminate();
    signal?.addEventListener('abort', abort);
    try {
      await run.started;
      const ended = run.ended.then((end) => {
        log.endRun(end.offset);
        return end.outcome;
      });
      for await (const batch of output) for (const { stream, data } of batch) yield { stream, data };
      const outcome = await ended;
      signal?.throwIfAborted();
      yield { exitCode: outcome.kind === 'exit' ? outcome.code & 255 : outcome.kind === 'trap' ? 134 : 137 };
    } finally {
      signal?.removeEventListener('abort', abort);
      run.terminate();
      output.close();
      rmSync(directory, { recursive: true, force: true });
    }
  };
}
