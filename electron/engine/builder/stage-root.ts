import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

type Kind = 'file' | 'directory' | 'symlink';

/** What the stage's file system holds at a path: asked before a layer is made, to know what has to be made and where links lead. */
export interface StageRoot {
  /**
   * Follows links inside the root. `parts` is the path without links as far as it exists, and the rest as given; `kind` is what is there.
   * With `followLast: false` the last name itself may be a link.
   */
  locate(
    path: readonly string[],
    followLast?: boolean,
  ): Promise<{ readonly parts: readonly string[]; readonly kind: Kind | undefined }>;
  /** Notes what a new layer puts there. */
  note(parts: readonly string[], kind: Kind, target?: string): void;
}

const maximumLinks = 40;

/** @param base the snapshot under the new layers; undefined when the stage has no layer yet. Asked for only when something is looked up */
export function stageRoot(base: () => Promise<string | undefined>): StageRoot {
  const added = new Map<string, { readonly kind: Kind; readonly target: string }>();
  let snapshot: Promise<string | undefined> | undefined;

  const lookup = async (parts: readonly string[]): Promise<{ kind: Kind; target: string } | undefined> => {
    if (parts.length === 0) return { kind: 'directory', target: '' };
    const mine = added.get(parts.join('/'));
    if (mine) return mine;
    const root = await (snapshot ??= base());
    if (root === undefined) return undefined;
    const path = join(root, ...parts);
    const found = await lstat(path).catch(() => undefined);
    if (!found) return undefined;
    if (found.isSymbolicLink()) return { kind: 'symlink', target: await readlink(path) };
    return { kind: found.isDirectory() ? 'directory' : 'file', target: '' };
  };

  return {
    async locate(path, followLast = true) {
      let todo = [...path];
      let at: string[] = [];
      let kind: Kind | undefined = 'directory';
      let links = 0;
      while (todo.length > 0) {
        const part = todo.shift() ?? '';
        if (part === '' || part === '.') continue;
        if (part === '..') {
          at.pop();
          kind = 'directory';
          continue;
        }
        const next = [...at, part];
        const found: { kind: Kind; target: string } | undefined = kind === 'directory' ? await lookup(next) : undefined;
        if (found?.kind === 'symlink' && (followLast || todo.length > 0) && ++links <= maximumLinks) {
          if (found.target.startsWith('/')) at = [];
          todo = [...found.target.split('/'), ...todo];
          continue;
        }
        at = next;
        kind = found?.kind;
      }
      return { parts: at, kind };
    },
    note(parts, kind, target = '') {
      added.set(parts.join('/'), { kind, target });
    },
  };
}
