import { invalid } from '../../base/errors.ts';
import type { ExecSpec, ExecView } from '../../engine/api/index.ts';
import { Fields } from './fields.ts';

/** The body of `POST /containers/{name}/exec` (docker-api.md §9). @throws invalid */
export function readExec(body: Readonly<Record<string, unknown>> | undefined): ExecSpec {
  const fields = new Fields(body);
  const command = fields.words('Cmd') ?? [];
  if (command.length === 0) throw invalid('No exec command specified');
  const env = fields.texts('Env');
  const workingDir = fields.filled('WorkingDir');
  const consoleSize = readConsoleSize(fields);
  return {
    command,
    tty: fields.flag('Tty') ?? false,
    attachStdin: fields.flag('AttachStdin') ?? false,
    attachStdout: fields.flag('AttachStdout') ?? false,
    attachStderr: fields.flag('AttachStderr') ?? false,
    user: fields.text('User') ?? '',
    privileged: fields.flag('Privileged') ?? false,
    detachKeys: fields.text('DetachKeys') ?? '',
    ...(env ? { env } : {}),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(consoleSize ? { consoleSize } : {}),
  };
}

export interface ExecStart {
  readonly detach: boolean;
  readonly consoleSize: readonly [number, number] | undefined;
}

/** The body of `POST /exec/{id}/start`. `Tty` is what was created, whatever the client says now. @throws invalid */
export function readExecStart(body: Readonly<Record<string, unknown>> | undefined): ExecStart {
  const fields = new Fields(body);
  return { detach: fields.flag('Detach') ?? false, consoleSize: readConsoleSize(fields) };
}

/** `[height, width]`; zeros and absent = not known. @throws invalid */
function readConsoleSize(fields: Fields): readonly [number, number] | undefined {
  const value = fields.value('ConsoleSize');
  if (value === undefined) return undefined;
  const [rows, columns, ...more] = Array.isArray(value) ? (value as unknown[]) : [];
  const isCount = (each: unknown): each is number => Number.isInteger(each) && (each as number) >= 0;
  if (!isCount(rows) || !isCount(columns) || more.length > 0)
    throw invalid(`ConsoleSize must be [height, width] in characters, got ${JSON.stringify(value)}`);
  return rows > 0 && columns > 0 ? [rows, columns] : undefined;
}

/** `GET /exec/{id}/json`. */
export function execJson(view: ExecView): Record<string, unknown> {
  const [entrypoint = '', ...args] = view.command;
  return {
    ID: view.id,
    Running: view.running,
    ExitCode: view.exitCode ?? null,
    ProcessConfig: {
      tty: view.tty,
      entrypoint,
      arguments: args,
      privileged: view.privileged,
      ...(view.user === '' ? {} : { user: view.user }),
    },
    OpenStdin: view.attachStdin,
    OpenStdout: view.attachStdout,
    OpenStderr: view.attachStderr,
    CanRemove: view.exitCode !== undefined,
    ContainerID: view.containerId,
    DetachKeys: view.detachKeys,
    Pid: view.pid,
  };
}
