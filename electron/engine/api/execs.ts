import type { Attachment } from './containers.ts';

/** A second program in a container that runs. */
export interface ExecSpec {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** `KEY=value`, over the container's. */
  readonly env?: readonly string[];
  /** Absolute; absent = the container's. */
  readonly workingDir?: string;
  readonly tty?: boolean;
  readonly attachStdin?: boolean;
  readonly attachStdout?: boolean;
  readonly attachStderr?: boolean;
  /** Shown, without effect. */
  readonly user?: string;
  readonly privileged?: boolean;
  readonly detachKeys?: string;
  /** rows, columns. */
  readonly consoleSize?: readonly [number, number];
}

/** A snapshot of one exec; plain data. */
export interface ExecView {
  readonly id: string;
  readonly containerId: string;
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly user: string;
  readonly privileged: boolean;
  readonly detachKeys: string;
  readonly running: boolean;
  /** Undefined until it has ended. 126 and 127: it never ran. */
  readonly exitCode: number | undefined;
  /** Of the hosting process; 0 unless it runs. */
  readonly pid: number;
  /** RFC 3339 with nanoseconds; '' = not started. */
  readonly startedAt: string;
}

/** How an exec ended. `error`: why it never ran, or what the trap said; '' otherwise. */
export interface ExecEnd {
  readonly exitCode: number;
  readonly error: string;
}

/** `id` is always the full id; unknown → notFound `No such exec instance: ID`. */
export interface ExecsApi {
  /** @throws notFound (container), conflict unless the container runs, invalid */
  create(container: string, spec: ExecSpec): Promise<{ readonly id: string }>;
  /**
   * Starts it and gives its streams at once; a program that cannot run is told in the output, and by the exit code. The exit code is known before
   * the output ends. Closing the attachment leaves the program running. @throws notFound, conflict when it was started before or the container does
   * not run
   */
  attach(id: string, options?: { readonly consoleSize?: readonly [number, number] | undefined }): Attachment;
  /** Starts it without anybody watching; resolves when it runs. @throws as `attach`, and invalid with `data.exitCode` when it cannot run */
  detach(id: string): Promise<void>;
  /** Resolves when it has ended; at once when it has already. @throws notFound at once */
  wait(id: string): Promise<ExecEnd>;
  get(id: string): ExecView;
  /** Those of a container that have not ended, oldest first. @throws notFound */
  list(container: string): readonly ExecView[];
  /** @throws notFound, conflict when it does not run */
  resize(id: string, rows: number, columns: number): Promise<void>;
  /** Ends the program; resolves when it has ended. False when it did not run. */
  end(id: string): Promise<boolean>;
}
