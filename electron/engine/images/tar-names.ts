import { invalid } from '../../base/errors.ts';

/**
 * The parts of an entry's name, without '.' and empty ones; [] is the root itself. Every name that comes out of a tar passes here before it
 * touches a disk or another tar. @throws invalid for what could lead out: '..', absolute names, NUL
 */
export function entryParts(name: string, what = 'layer'): string[] {
  if (name.includes('\0')) throw hostile(name, what, 'its name holds a NUL byte');
  if (name.startsWith('/')) throw hostile(name, what, 'its name is absolute');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw hostile(name, what, 'its name leads upwards');
  // On Windows these would be separators and drives.
  if (process.platform === 'win32' && parts.some((part) => /[\\:]/.test(part)))
    throw hostile(name, what, 'its name cannot be a file name on Windows');
  return parts;
}

/**
 * Checks a link's target as moby's archive package does: a relative one must stay inside when it is followed from where the link lies;
 * an absolute one is relative to the root whenever it is followed, so it is harmless.
 */
export function checkSymlink(parts: readonly string[], target: string, what = 'layer'): void {
  const name = parts.join('/');
  if (target === '' || target.includes('\0')) throw hostile(name, what, 'it is a link to nothing');
  if (target.startsWith('/')) return;
  let depth = parts.length - 1;
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    depth += part === '..' ? -1 : 1;
    if (depth < 0) throw hostile(name, what, `it is a link out of the root: ${target}`);
  }
}

export const hostile = (name: string, what: string, why: string) =>
  invalid(`refused entry ${JSON.stringify(name)} of the ${what}: ${why}`, {
    hint: 'Nothing of it was kept. Ask where this archive comes from.',
    data: { entry: name },
  });
