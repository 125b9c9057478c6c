import type { ErrorKind } from '../base/errors.ts';

/**
 * Why a run never starts. The docker CLI reads the text of a failed start to pick its exit code (docker/cli runStartContainerErr): "no such file or
 * directory" or "executable file not found" → 127, "permission denied" or "is a directory" → 126, else 125. So the words matter.
 */
export class NotRunnable extends Error {
  readonly kind: ErrorKind;
  readonly exitCode: 125 | 126 | 127;
  constructor(kind: ErrorKind, exitCode: 125 | 126 | 127, message: string) {
    super(message);
    this.kind = kind;
    this.exitCode = exitCode;
  }
}

const quoted = (path: string): string => `exec: ${JSON.stringify(path)}`;

/** 127. */
export const missing = (path: string): NotRunnable =>
  path.includes('/')
    ? new NotRunnable('notFound', 127, `${quoted(path)}: stat ${path}: no such file or directory`)
    : new NotRunnable('notFound', 127, `${quoted(path)}: executable file not found in $PATH`);

/** 126. `reason`: a clause or a sentence; its last dot is taken off. */
export const cannotRun = (path: string, reason: string): NotRunnable =>
  new NotRunnable('invalid', 126, `${quoted(path)}: ${reason.replace(/\.$/, '')}: permission denied`);

/** 126. */
export const isDirectory = (path: string): NotRunnable =>
  // The last words are for CLIs before 23, which do not know the others.
  new NotRunnable('invalid', 126, `${quoted(path)}: is a directory: permission denied`);

/** 125: the engine's side of things. */
export const engineFault = (kind: ErrorKind, message: string): NotRunnable => new NotRunnable(kind, 125, message);
