import { invalid } from '../../base/errors.ts';
import type { TarHeader } from './tar-header.ts';

/** Bytes of one name (NAME_MAX) and of a whole path (PATH_MAX, with room for where the root lies). */
const maximumName = 255;
const maximumPath = 3072;

/**
 * The parts of an entry's name, without '.' and empty ones; [] is the root itself. Every name that comes out of a tar passes here before it
 * touches a disk or another tar. @throws invalid for what could lead out ('..', absolute names, NUL) and for names that no disk takes
 */
export function entryParts(name: string, what = 'layer'): string[] {
  if (name.includes('\0')) throw hostile(name, what, 'its name holds a NUL byte');
  if (name.startsWith('/')) throw hostile(name, what, 'its name is absolute');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw hostile(name, what, 'its name leads upwards');
  checkLengths(name, parts, what);
  // On Windows these would be separators and drives.
  if (process.platform === 'win32' && parts.some((part) => /[\\:]/.test(part)))
    throw hostile(name, what, 'its name cannot be a file name on Windows');
  return parts;
}

/** A string has at most three bytes a code unit: most names need no second look. */
function checkLengths(name: string, parts: readonly string[], what: string): void {
  if (name.length * 3 > maximumName && parts.some((part) => Buffer.byteLength(part) > maximumName))
    throw hostile(name, what, `a part of its name has more than ${maximumName} bytes`);
  if (name.length * 3 > maximumPath && Buffer.byteLength(name) > maximumPath)
    throw hostile(name, what, `its name has more than ${maximumPath} bytes`);
}

/**
 * Checks a link's target as moby's archive package does: a relative one must stay inside when it is followed from where the link lies;
 * an absolute one is relative to the root whenever it is followed, so it is harmless.
 */
export function checkSymlink(parts: readonly string[], target: string, what = 'layer'): void {
  const name = parts.join('/');
  if (target === '' || target.includes('\0')) throw hostile(name, what, 'it is a link to nothing');
  if (target.length * 3 > maximumPath && Buffer.byteLength(target) > maximumPath)
    throw hostile(name, what, `it is a link to a path of more than ${maximumPath} bytes`);
  if (target.startsWith('/')) return;
  let depth = parts.length - 1;
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    depth += part === '..' ? -1 : 1;
    if (depth < 0) throw hostile(name, what, `it is a link out of the root: ${target}`);
  }
}

/** What would be refused when it is unpacked, without unpacking it. @throws invalid */
export function checkEntry({ name, type, linkname }: TarHeader, what: string): void {
  const parts = entryParts(name, what);
  if (parts.length === 0 && type !== 'directory') return;
  switch (type) {
    case 'file':
    case 'contiguous-file':
    case 'directory':
      return;
    case 'symlink':
      return checkSymlink(parts, linkname, what);
    case 'link':
      return void entryParts(linkname.replace(/^\/+/, ''), what);
    default:
      throw hostile(name, what, `devices and other special files (${type ?? 'unknown'}) are not unpacked`);
  }
}

/** How much of a long name is shown. */
const shown = 200;

export const hostile = (
  name: string,
  what: string,
  why: string,
  hint = 'Nothing of it was kept. Ask where this archive comes from.',
) =>
  invalid(
    `refused entry ${JSON.stringify(name.length > shown ? `${name.slice(0, shown)}…` : name)} of the ${what}: ${why}`,
    { hint, data: { entry: name.slice(0, 4 * shown) } },
  );
