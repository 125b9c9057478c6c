import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DrydockError, invalid, unsupported } from '../../base/errors.ts';
import { isLongWhiteout, WHITEOUT } from '../../fs/whiteout.ts';
import { findProgram } from '../images/find-program.ts';
import type { LayerEntry } from '../images/layer-writer.ts';
import { readRange } from '../images/read-range.ts';

/** A program of the stage to run to its end. Whoever supplies the runner knows processes and limits; the builder does not. */
export interface ProgramRequest {
  /** Host paths: the stage's root, never written to, and an empty directory for what the program changes (OCI whiteouts). */
  readonly lower: string;
  readonly upper: string;
  /** Guest path of the module. */
  readonly program: string;
  /** argv. The first is the name as the Dockerfile has it: programs of many names (`clang`, `wasm-ld`) go by it. */
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  /** Shown to it beside the root, read-only: directories of the host by guest path. */
  readonly mounts: readonly { readonly target: string; readonly source: string }[];
  /** As in BuildOptions. */
  readonly network: string;
  readonly extraHosts: readonly string[];
  /** 0 = not limited, as in BuildOptions. */
  readonly memory: number;
  readonly nanoCpus: number;
  readonly openFiles: number;
  /** Programs of one build may follow each other in one process, which has compiled them already. */
  readonly group: string;
}

/** `error`: why it ended with this code, when not by itself: a trap, its memory limit. */
export type ProgramOutput =
  { readonly stream: 1 | 2; readonly data: Uint8Array } | { readonly exitCode: number; readonly error?: string };

/** Ends after the one `exitCode`. An abort, or leaving the iteration, ends the program: when the iteration is over it is gone. */
export type ProgramRunner = (request: ProgramRequest, signal: AbortSignal | undefined) => AsyncIterable<ProgramOutput>;

/** What RUN will start. @throws invalid, unsupported: an error that names RUN and says what the image lacks */
export async function programOf(
  words: readonly string[],
  isShellForm: boolean,
  root: string,
  options: { readonly env: readonly string[]; readonly workingDir: string },
): Promise<string> {
  const [name = ''] = words;
  const found = await findProgram(root, name, options);
  if (found) return found.guestPath;
  if (isShellForm)
    throw invalid(`RUN failed: the image has no shell: ${name} is not in it`, {
      hint: 'Use the exec form, RUN ["program.wasm", "argument"], with a WebAssembly program of the image, or COPY a shell that is WebAssembly and name it with SHELL.',
    });
  throw invalid(`RUN failed: exec: "${name}": stat ${name}: no such file or directory`, {
    hint: 'RUN runs a WebAssembly program that is in the image: COPY it there first.',
  });
}

export const noRunner = () =>
  unsupported('RUN is not supported yet: this engine was opened without a way to run programs in a build', {
    hint: 'Make the files before the build and COPY them.',
  });

/** Runs it and hands on its output. @throws invalid when it ends with another code than 0, in moby's words */
export async function* runProgram(
  runner: ProgramRunner,
  request: ProgramRequest,
  shown: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  let exitCode: number | undefined;
  let reason = '';
  try {
    for await (const output of runner(request, signal)) {
      if ('exitCode' in output) {
        exitCode = output.exitCode;
        reason = output.error ? `: ${output.error}` : '';
      } else {
        const text = decoders[output.stream].decode(output.data, { stream: true });
        if (text !== '') yield text;
      }
    }
  } catch (error) {
    if (error instanceof DrydockError)
      throw new DrydockError(error.kind, `RUN failed: ${error.message}`, {
        hint: error.hint,
        data: error.data,
        cause: error,
      });
    throw error;
  }
  for (const decoder of [decoders[1], decoders[2]]) {
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  }
  if (exitCode !== 0)
    throw invalid(`The command '${shown}' returned a non-zero code: ${exitCode ?? 'none'}${reason}`, {
      data: { exitCode },
    });
}

/** What a program left in its upper directory, as layer entries: whiteouts are files there as in a layer. Also what `commit` packs. */
export async function* upperEntries(upper: string, prefix = ''): AsyncGenerator<LayerEntry> {
  for (const child of (await readdir(join(upper, prefix))).sort()) {
    // A layer's tar takes whiteouts of any length, only the disk does not.
    const hidden = isLongWhiteout(child) ? await readFile(join(upper, prefix, child), 'utf8') : '';
    if (hidden !== '') {
      const name = `${prefix === '' ? '' : `${prefix}/`}${WHITEOUT}${hidden}`;
      const read = () => readRange(join(upper, prefix, child), 0, 0);
      yield { name, type: 'file', mode: 0o644, mtime: new Date(0), size: 0, read };
      continue;
    }
    // The overlay's unfinished work; the opaque mark belongs to the format.
    if (child.startsWith('.wh..wh.') && child !== '.wh..wh..opq') continue;
    const name = prefix === '' ? child : `${prefix}/${child}`;
    const path = join(upper, name);
    const found = await lstat(path);
    const common = { name, mode: found.mode & 0o7777, mtime: found.mtime };
    if (found.isDirectory()) {
      yield { ...common, type: 'directory' };
      yield* upperEntries(upper, name);
    } else if (found.isSymbolicLink()) yield { ...common, type: 'symlink', target: await readlink(path) };
    else if (found.isFile())
      yield { ...common, type: 'file', size: found.size, read: () => readRange(path, 0, found.size) };
  }
}
