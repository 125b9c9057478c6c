import type { ExecView } from '../../api/index.ts';
import type { Exec } from './exec.ts';

export const execView = ({ id, container, spec, state, end, run, startedAt }: Exec): ExecView => ({
  id,
  containerId: container.id,
  command: spec.command,
  workingDir: spec.workingDir ?? container.record.config.workingDir,
  tty: spec.tty === true,
  attachStdin: spec.attachStdin === true,
  attachStdout: spec.attachStdout === true,
  attachStderr: spec.attachStderr === true,
  user: spec.user ?? '',
  privileged: spec.privileged === true,
  detachKeys: spec.detachKeys ?? '',
  running: state === 'starting' || state === 'running',
  exitCode: end?.exitCode,
  pid: run?.pid ?? 0,
  startedAt,
});
