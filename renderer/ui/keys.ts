/** Keyboard chords as words: "mod+k", "shift+l", "Enter", "?". `mod` is ⌘ on a Mac and Ctrl elsewhere. */

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  /** The place on the keyboard: Alt changes `key` on a Mac ("†" for Alt+T). */
  readonly code?: string;
}

export const isMac = (platform: string): boolean => /mac|iphone|ipad|darwin/i.test(platform);

/** The chord of a key press. A printed symbol says its own shift ("?" is not "shift+/"), letters are lower case. */
export function chordOf(press: KeyPress, mac: boolean): string {
  const letter = /^Key([A-Z])$/.exec(press.code ?? '')?.[1];
  const alternate = press.altKey && letter !== undefined ? letter : press.key;
  const key = alternate.length === 1 ? alternate.toLowerCase() : alternate;
  const symbol = key.length === 1 && key.toLowerCase() === key.toUpperCase();
  const parts: string[] = [];
  if (mac ? press.metaKey : press.ctrlKey) parts.push('mod');
  if (mac && press.ctrlKey) parts.push('ctrl');
  if (!mac && press.metaKey) parts.push('meta');
  if (press.altKey) parts.push('alt');
  if (press.shiftKey && !(symbol && key !== ' ')) parts.push('shift');
  parts.push(key === ' ' ? 'Space' : key);
  return parts.join('+');
}

/** What is drawn on the caps of a chord; on a Mac symbols (drawn as icons), elsewhere words. */
export function capsOf(chord: string, mac: boolean): string[] {
  const names: Record<string, string> = mac
    ? {
        mod: '⌘',
        alt: '⌥',
        shift: '⇧',
        ctrl: '⌃',
        Enter: '↵',
        Backspace: '⌫',
        Escape: 'Esc',
        ArrowUp: '↑',
        ArrowDown: '↓',
        ArrowRight: '→',
      }
    : {
        mod: 'Ctrl',
        alt: 'Alt',
        shift: 'Shift',
        Enter: '↵',
        Backspace: '⌫',
        Escape: 'Esc',
        ArrowUp: '↑',
        ArrowDown: '↓',
        ArrowRight: '→',
      };
  return chord.split('+').map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

/** For aria-keyshortcuts: "Meta+K". */
export const ariaOf = (chord: string, mac: boolean): string =>
  chord
    .split('+')
    .map(
      (part) =>
        ({ mod: mac ? 'Meta' : 'Control', alt: 'Alt', shift: 'Shift' })[part] ??
        (part.length === 1 ? part.toUpperCase() : part),
    )
    .join('+');

/** True while a person types text, so that letters are letters. */
export function isTyping(
  target: { readonly tagName?: string; readonly isContentEditable?: boolean; readonly type?: string } | null,
): boolean {
  if (!target) return false;
  if (target.isContentEditable) return true;
  if (target.tagName === 'TEXTAREA' || target.tagName === 'SELECT') return true;
  return (
    target.tagName === 'INPUT' && !['checkbox', 'radio', 'button', 'range', 'file'].includes(target.type ?? 'text')
  );
}
