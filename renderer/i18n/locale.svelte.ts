import type { Settings } from '../../electron/contract/settings.ts';
import { overwriteGetLocale } from './generated/runtime.js';

export type Locale = 'en' | 'zh-CN';

/** The first of our languages that the system prefers. */
export function preferred(languages: readonly string[]): Locale {
  for (const language of languages) {
    if (/^zh\b/i.test(language)) return 'zh-CN';
    if (/^en\b/i.test(language)) return 'en';
  }
  return 'en';
}

/**
 * The language of the window. Every message function asks `getLocale`, which reads this rune: a change redraws what is on screen, with no reload.
 */
class Language {
  #chosen = $state<Settings['language']>('system');
  #system = $state<Locale>('en');

  get locale(): Locale {
    return this.#chosen === 'system' ? this.#system : this.#chosen;
  }
  choose(language: Settings['language']): void {
    this.#chosen = language;
  }
  set system(languages: readonly string[]) {
    this.#system = preferred(languages);
  }
}

export const language = new Language();
overwriteGetLocale(() => language.locale);
