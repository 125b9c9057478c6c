import { chordOf, isMac, isTyping } from '../ui/keys.ts';

/** Chord → what it does. A handler that answers false did nothing, and the next layer is asked. */
export type Keymap = Readonly<Record<string, () => void | false>>;

interface Layer {
  readonly keys: Keymap;
  readonly modal: boolean;
}

/** Keys that mean something even while a person types text. */
const whileTyping = (chord: string): boolean =>
  chord.startsWith('mod+') || chord.startsWith('alt+') || chord === 'Escape';

/** All shortcuts of the window in layers: what is on top is asked first, a modal layer (a sheet, the palette) hides those under it. */
export class Keyboard {
  readonly mac = typeof navigator !== 'undefined' && isMac(navigator.platform);
  #layers: Layer[] = [];

  /** Puts a layer on top; answers the end of it. */
  add(keys: Keymap, options: { modal?: boolean } = {}): () => void {
    const layer: Layer = { keys, modal: options.modal ?? false };
    this.#layers = [...this.#layers, layer];
    return () => {
      this.#layers = this.#layers.filter((other) => other !== layer);
    };
  }

  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return;
    const chord = chordOf(event, this.mac);
    const target = event.target as HTMLElement | null;
    if (isTyping(target) && !whileTyping(chord)) return;
    // A focused button or link keeps its own keys, a focused terminal or menu all of them.
    if (target?.closest('[role="menu"], .xterm')) return;
    if (
      (chord === 'Enter' || chord === 'Space') &&
      target?.closest('button, a, [role="tab"], [role="switch"], [role="checkbox"]')
    )
      return;
    for (const layer of [...this.#layers].reverse()) {
      const run = layer.keys[chord];
      if (run && run() !== false) {
        event.preventDefault();
        return;
      }
      if (layer.modal) return;
    }
  }
}
