import type { Directory } from './directory.ts';
import { codeOf, fsError } from './error.ts';

/** As in Linux. */
const MAX_LINKS = 40;
const MAX_PATH = 4096;
/** Names that Windows gives a meaning of its own: devices, streams, other separators, names it silently shortens. */
const WINDOWS_NAME = /[\\:*?"<>|]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)/i;

/**
 * Resolves a path one name at a time. `advance` ends before the last name, which the caller looks at itself: it alone knows whether a link there is
 * to be followed (`follow`). Links are expanded here and never by the host; an absolute one starts at the container's root. The path as given
 * cannot climb above the directory it starts from; a link can, but not above the root.
 */
export class Walk {
  /** Where the last name is. */
  directory: Directory;
  /** The last name; empty when the path ends at `directory` itself (`.`, `..`, `/`). */
  name = '';
  /** The path ended with a separator: the last name must be a directory. */
  slash = false;
  readonly path: string;
  readonly #root: Directory;
  readonly #start: Directory;
  #links = 0;
  /** Names still to be walked, the next one last. `fromLink` counts how many of them come out of links. */
  readonly #rest: string[] = [];
  #fromLink = 0;

  constructor(root: Directory, start: Directory, path: string) {
    this.#root = root;
    this.#start = start;
    this.directory = start;
    this.path = path;
    if (path === '') throw fsError('ENOENT', path);
    this.#push(path);
    if (path.startsWith('/')) this.directory = root;
    this.#advance();
  }

  /** The last name turned out to be a link that is to be followed. */
  follow(): void {
    this.#expand(this.name);
    this.#advance();
  }

  #advance(): void {
    for (;;) {
      const name = this.#rest.pop();
      const ofLink = this.#fromLink > 0;
      if (ofLink) this.#fromLink -= 1;
      if (name === undefined) {
        this.name = '';
        return;
      }
      if (name === '.') continue;
      if (name === '..') {
        this.#climb(ofLink);
        continue;
      }
      if (this.#rest.length === 0) {
        this.name = name;
        return;
      }
      const next = this.directory.enter(name);
      if (next) this.directory = next;
      else if (this.directory.lookup(name)?.kind === 'symlink') this.#expand(name);
      else throw fsError('ENOTDIR', this.path);
    }
  }

  #climb(ofLink: boolean): void {
    const { directory } = this;
    if (directory === this.#root) return;
    if (directory === this.#start && !ofLink) throw fsError('ENOTCAPABLE', this.path);
    if (!directory.parent) throw fsError('ENOENT', this.path);
    this.directory = directory.parent;
  }

  #expand(name: string): void {
    if (++this.#links > MAX_LINKS) throw fsError('ELOOP', this.path);
    let target: string;
    try {
      target = this.directory.readLink(name);
    } catch (error) {
      if (codeOf(error) !== 'EINVAL') throw error;
      // It was a link a moment ago and is something else now: look at the name again.
      this.#rest.push(name);
      if (this.#fromLink > 0) this.#fromLink += 1;
      return;
    }
    if (target === '') throw fsError('ENOENT', this.path);
    const before = this.#rest.length;
    this.#push(target);
    this.#fromLink += this.#rest.length - before;
    if (target.startsWith('/')) this.directory = this.#root;
  }

  #push(path: string): void {
    if (path.length > MAX_PATH) throw fsError('ENAMETOOLONG', this.path);
    if (path.includes('\0')) throw fsError('EILSEQ', this.path.replaceAll('\0', '\\0'));
    const names = path.split('/');
    if (this.#rest.length === 0 && names.length > 1 && names[names.length - 1] === '') this.slash = true;
    for (let index = names.length - 1; index >= 0; index--) {
      const name = names[index] as string;
      if (name === '') continue;
      if (process.platform === 'win32' && name !== '.' && name !== '..' && WINDOWS_NAME.test(name))
        throw fsError('EINVAL', this.path);
      this.#rest.push(name);
    }
    if (this.#rest.length > MAX_PATH) throw fsError('ENAMETOOLONG', this.path);
  }
}
