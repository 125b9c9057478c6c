import type { Settings as Values } from '../../electron/contract/settings.ts';
import { language } from '../i18n/locale.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import type { Operations } from './operations.svelte.ts';
import { load, save } from './persisted.ts';

const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && 'theme' in value && 'language' in value && 'registries' in value;

const defaults: Values = {
  theme: 'system',
  language: 'system',
  registries: { mirrors: [], insecure: [], caFile: '', httpProxy: '', httpsProxy: '', noProxy: '', npm: '' },
};

/** What a person chose. The engine keeps it; a copy in the page makes the first paint right before the engine has answered. */
export class Settings {
  readonly #connection: Connection;
  readonly #operations: Operations;
  #values = $state.raw<Values>(defaults);

  constructor(connection: Connection, operations: Operations) {
    this.#connection = connection;
    this.#operations = operations;
    this.apply(load('settings', this.#values, isValues));
  }

  get theme(): Values['theme'] {
    return this.#values.theme;
  }
  get language(): Values['language'] {
    return this.#values.language;
  }

  /** From the engine, or from the copy. */
  apply(values: Values): void {
    this.#values = values;
    language.choose(values.language);
    save('settings', values);
  }

  /** Shown at once; when the engine could not keep it, the old choice comes back and the page says why. */
  async choose(change: Partial<Values>): Promise<void> {
    const before = this.#values;
    this.apply({ ...before, ...change });
    const done = await this.#operations.run('settings', 'settings', '', () =>
      this.#connection.api.settings.set(change),
    );
    this.apply(done?.value ?? before);
  }
}
