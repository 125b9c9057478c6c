import type { RunSubject } from './run-form.ts';

export type Overlay =
  | { readonly kind: 'run'; readonly subject: RunSubject }
  /** Which image to run? */
  | { readonly kind: 'chooseImage' }
  | { readonly kind: 'palette' }
  | { readonly kind: 'keys' }
  | { readonly kind: 'tag'; readonly imageId: string; readonly reference: string }
  | { readonly kind: 'rename'; readonly id: string; readonly name: string };

/** What floats over the page. One at a time: veils are not stacked, a second question replaces the first. */
export class Overlays {
  #current = $state.raw<Overlay | undefined>();
  #notice = $state.raw<{ readonly text: string; readonly key: number } | undefined>();
  #notices = 0;

  get current(): Overlay | undefined {
    return this.#current;
  }
  show(overlay: Overlay): void {
    this.#current = overlay;
  }
  close(): void {
    this.#current = undefined;
  }

  /** A short word that something small was done ("Copied"); never an error. */
  get notice(): { readonly text: string; readonly key: number } | undefined {
    return this.#notice;
  }
  say(text: string): void {
    const key = ++this.#notices;
    this.#notice = { text, key };
    setTimeout(() => {
      if (this.#notice?.key === key) this.#notice = undefined;
    }, 2000);
  }
}
