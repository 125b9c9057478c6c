import type { HostDirectory } from './host-directory.ts';
import type { DirectoryEntry, FileStat } from './stat.ts';

/** Names remembered per mount table, so that a walk over a huge image does not keep it all in memory. */
const LIMIT = 32_768;

/** How many names all lower directories of one table remember. */
export interface LowerBudget {
  names: number;
}

/** A directory of an image's snapshot. It never changes, so each name is asked for once and then known. */
export class LowerDirectory {
  readonly #host: HostDirectory;
  readonly #budget: LowerBudget;
  readonly #known = new Map<string, FileStat | null>();
  #stat: FileStat | undefined;

  constructor(host: HostDirectory, budget: LowerBudget) {
    this.#host = host;
    this.#budget = budget;
  }

  stat(): FileStat {
    return (this.#stat ??= this.#host.stat());
  }

  lookup(name: string): FileStat | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known ?? undefined;
    const stat = this.#host.lookup(name);
    if (this.#budget.names >= LIMIT) {
      this.#budget.names -= this.#known.size;
      this.#known.clear();
    }
    if (this.#budget.names < LIMIT) {
      this.#known.set(name, stat ?? null);
      this.#budget.names += 1;
    }
    return stat;
  }

  child(name: string): LowerDirectory | undefined {
    if (this.lookup(name)?.kind !== 'directory') return undefined;
    const host = this.#host.child(name);
    return host && new LowerDirectory(host, this.#budget);
  }

  /** Opens what `lookup` said is a regular file, for reading. */
  open(name: string): number {
    return this.#host.openUnchanging(name);
  }

  readLink(name: string): string {
    return this.#host.readLink(name);
  }

  list(): DirectoryEntry[] {
    return this.#host.list();
  }

  copyTo(name: string, to: HostDirectory, toName: string): void {
    this.#host.copyTo(name, to, toName);
  }

  close(): void {
    this.#budget.names -= this.#known.size;
    this.#known.clear();
    this.#host.close();
  }
}
