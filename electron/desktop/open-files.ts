import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from 'electron';

/** True for an existing .wasm file. */
export function isModuleFile(path: string): boolean {
  if (extname(path).toLowerCase() !== '.wasm') return false;
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * The .wasm files among the arguments of a start; switches (Chromium adds some) and anything else are passed over. File managers give paths or
 * file: URLs. @param cwd what relative paths are meant against
 */
export function filesOf(args: readonly string[], cwd: string, isFile: (path: string) => boolean): string[] {
  const files: string[] = [];
  for (const arg of args) {
    if (arg === '' || arg.startsWith('-')) continue;
    const path = pathOf(arg, cwd);
    if (path !== undefined && isFile(path) && !files.includes(path)) files.push(path);
  }
  return files;
}

function pathOf(arg: string, cwd: string): string | undefined {
  if (!arg.startsWith('file:')) return resolve(cwd, arg);
  try {
    return fileURLToPath(arg);
  } catch {
    return undefined;
  }
}

/** The person's own arguments: a packaged app has none before them, in development argv[1] is the app's path. */
export const ownArguments = (argv: readonly string[], packaged: boolean): string[] => argv.slice(packaged ? 1 : 2);

/**
 * Files that the OS wants opened, from wherever they come; kept until somebody listens. Must be made before ready: macOS sends 'open-file' early.
 */
export class OpenFiles {
  readonly #isFile: (path: string) => boolean;
  #waiting: string[] = [];
  #listener: ((paths: readonly string[]) => void) | undefined;

  constructor(app: Pick<App, 'on'>, isFile: (path: string) => boolean = isModuleFile) {
    this.#isFile = isFile;
    app.on('open-file', (event, path) => {
      event.preventDefault();
      this.add(filesOf([path], '/', isFile));
    });
  }

  /** The arguments of this start or of a second one. */
  addArguments(args: readonly string[], cwd: string): void {
    this.add(filesOf(args, cwd, this.#isFile));
  }

  add(paths: readonly string[]): void {
    if (paths.length === 0) return;
    if (this.#listener) this.#listener(paths);
    else this.#waiting.push(...paths);
  }

  /** From now on every file goes to the one listener; what has waited, at once. */
  listen(listener: (paths: readonly string[]) => void): void {
    this.#listener = listener;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) listener(waiting);
  }
}
