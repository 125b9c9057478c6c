import type { App } from 'electron';

/** What a second start tells the first. argv as Electron passes it on is reordered, so ours travels beside it. */
interface SecondStart {
  readonly args: readonly string[];
  readonly cwd: string;
}

const isSecondStart = (data: unknown): data is SecondStart =>
  typeof data === 'object' &&
  data !== null &&
  'args' in data &&
  Array.isArray(data.args) &&
  data.args.every((arg) => typeof arg === 'string') &&
  'cwd' in data &&
  typeof data.cwd === 'string';

/**
 * True when this is the first start of the app for its user data. Otherwise the first one has been told this start's arguments, and this one is to quit.
 * @param onSecond called in the first instance, always after ready
 */
export function claimInstance(
  app: Pick<App, 'requestSingleInstanceLock' | 'on'>,
  start: SecondStart,
  onSecond: (args: readonly string[], cwd: string) => void,
): boolean {
  if (!app.requestSingleInstanceLock({ ...start })) return false;
  app.on('second-instance', (_event, _argv, cwd, data) => {
    if (isSecondStart(data)) onSecond(data.args, data.cwd);
    else onSecond([], cwd);
  });
  return true;
}
