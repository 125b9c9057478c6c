/** A directory of this computer as a build context, packed as the docker CLI does it (cli/command/image/build/context.go). */
import { constants } from 'node:fs';
import { lstat, open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import ignore from '@balena/dockerignore';
import { conflict, denied, invalid, notFound } from '../../base/errors.ts';
import { packTar, type PackEntry } from '../images/pack-tar.ts';

export interface HostContextOptions {
  /** Relative to the directory; it travels whatever .dockerignore says. */
  readonly dockerfile: string;
  /** Told before each entry is packed; its bytes. */
  readonly packed?: (bytes: number) => void;
}

/**
 * The tar. What .dockerignore leaves out is not read, and neither are sockets, pipes and devices; links are packed as links. Begins to read when the
 * first byte is asked for.
 * @throws notFound, invalid, denied; conflict when a file changes while it is read
 */
export async function* directoryContext(
  directory: string,
  { dockerfile, packed }: HostContextOptions,
): AsyncGenerator<Uint8Array> {
  const found = await stat(directory).catch((error: unknown) => Promise.reject(unreadable(error, directory)));
  if (!found.isDirectory())
    throw invalid(`the build context ${directory} is not a directory`, {
      hint: 'Name the directory that the Dockerfile is in.',
    });
  const root = resolve(directory);
  const rules = await readFile(join(root, '.dockerignore'), 'utf8').catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? '' : Promise.reject(unreadable(error, join(root, '.dockerignore'))),
  );
  const always = new Set(['.dockerignore', dockerfile.replaceAll('\\', '/').replace(/^(\.?\/)+/, '') || 'Dockerfile']);
  yield* packTar(entriesOf(root, '', patterns(rules, always)), (entry) => packed?.(entry.size ?? 0));
}

interface Patterns {
  leftOut(path: string): boolean;
  /** Something below a directory that is left out may be taken back in. */
  worthEntering(directory: string): boolean;
}

function patterns(rules: string, always: ReadonlySet<string>): Patterns {
  const text = rules.replace(/^\uFEFF/, '');
  const matcher = ignore().add(text);
  const kept = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1).trim().replace(/^\/+/, ''));
  // Up to its first wildcard a pattern says where it can match.
  const wanted = [...kept, ...always].map((each) => /^[^*?[\\]*/.exec(each)?.[0] ?? '');
  return {
    leftOut: (path) => text !== '' && !always.has(path) && matcher.ignores(path),
    worthEntering: (directory) =>
      wanted.some((each) => `${each}/`.startsWith(`${directory}/`) || `${directory}/`.startsWith(each)),
  };
}

async function* entriesOf(root: string, prefix: string, rules: Patterns): AsyncGenerator<PackEntry> {
  const names = await readdir(join(root, prefix)).catch((error: unknown) =>
    Promise.reject(unreadable(error, join(root, prefix))),
  );
  for (const child of names.sort()) {
    const name = prefix === '' ? child : `${prefix}/${child}`;
    const path = join(root, name);
    const isLeftOut = rules.leftOut(name);
    if (isLeftOut && !rules.worthEntering(name)) continue;
    // Gone meanwhile: as if it had not been there.
    const found = await lstat(path).catch(() => undefined);
    if (!found) continue;
    const common = { name, mode: found.mode & 0o7777, mtime: found.mtime };
    if (found.isDirectory()) {
      if (!isLeftOut) yield { ...common, type: 'directory' };
      yield* entriesOf(root, name, rules);
    } else if (isLeftOut) continue;
    else if (found.isSymbolicLink()) yield { ...common, type: 'symlink', target: await readlink(path) };
    else if (found.isFile())
      yield { ...common, type: 'file', size: found.size, read: () => contentOf(path, found.size) };
  }
}

/** Just the bytes that were announced, of the file itself and not of what a link that took its place leads to. */
async function* contentOf(path: string, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch((error: unknown) =>
    Promise.reject(unreadable(error, path)),
  );
  try {
    for (let at = 0; at < size;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(size - at, 1 << 20)), 0, null, at);
      if (bytesRead === 0)
        throw conflict(`${path} became shorter while it was read for the build`, { hint: 'Build again.' });
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

function unreadable(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return notFound(`${path} is not there`, { hint: 'Is the path right?', data: { path }, cause: error });
  if (code === 'EACCES' || code === 'EPERM')
    return denied(`${path} cannot be read: permission denied`, {
      hint: 'Leave it out by .dockerignore, or change its permissions.',
      data: { path },
      cause: error,
    });
  return error;
}
