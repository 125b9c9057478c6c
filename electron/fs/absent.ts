import type { HostDirectory } from './host-directory.ts';

/** Kernels stamp changes with a clock that moves every few milliseconds: a stamp this young (ms) may be shared by a change still to come. */
const UNSURE = 50;
const LIMIT = 4096;

/**
 * Names known not to be in a directory. Believed only while the directory's change time, which every added or removed name moves and nobody can set,
 * is the one they were learnt under; so what another process puts into the same upper is seen at once.
 */
export class AbsentNames {
  readonly #names = new Set<string>();
  #stamp = -1;
  #sure = false;

  /** True when the directory has neither the name nor a whiteout of it. Costs one fstat instead of two failed lookups. */
  has(name: string, directory: HostDirectory): boolean {
    const stamp = directory.changed();
    if (stamp !== this.#stamp) {
      this.#names.clear();
      this.#stamp = stamp;
      this.#sure = false;
    }
    this.#sure ||= Date.now() - stamp > UNSURE;
    return this.#sure && this.#names.has(name);
  }

  /** To be called after `has` and a lookup that found nothing. */
  add(name: string): void {
    if (!this.#sure) return;
    if (this.#names.size >= LIMIT) this.#names.clear();
    this.#names.add(name);
  }
}
