/**
 * What a person chose, in HOME/config.json. The desktop opens it with electron-store, headless with conf (its base: the same file); both are a
 * Conf, and the rest of Drydock sees only a SettingsStore.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../base/errors.ts';
import {
  noRegistrySettings,
  registrySettings,
  registrySettingsSchema,
  type RegistrySettings,
} from './registry-settings.ts';

/** The same shape as `settings` of electron/contract, which this layer may not import; rpc's types hold the two together. */
export interface Settings {
  readonly theme: 'system' | 'light' | 'dark';
  readonly language: 'system' | 'en' | 'zh-CN';
  readonly registries: RegistrySettings;
}

export interface SettingsStore {
  get(): Settings;
  /** Writes at once and atomically. @throws invalid when a value is not allowed; nothing is changed then */
  set(change: { readonly [K in keyof Settings]?: Settings[K] | undefined }): Settings;
  /** Called after each change. Returns the unsubscriber. */
  onChange(listener: (settings: Settings) => void): () => void;
}

/** JSON schema of config.json, for conf and electron-store. */
export const settingsSchema = {
  theme: { type: 'string', enum: ['system', 'light', 'dark'], default: 'system' },
  language: { type: 'string', enum: ['system', 'en', 'zh-CN'], default: 'system' },
  registries: registrySettingsSchema,
} as const;

/** The settings that are one of a few words. */
const choices = { theme: settingsSchema.theme.enum, language: settingsSchema.language.enum } as const;

/** The part of Conf that is used here. */
export interface ConfLike {
  get(key: string): unknown;
  set(values: Record<string, unknown>): void;
}

/** File name without extension, below the home. */
export const settingsFile = 'config';

/**
 * Opens a store with `make` (new Conf or new ElectronStore). A file that cannot be read (damaged by hand, values of another version) is put aside
 * as config.json.broken, never deleted, and a fresh one is begun.
 */
export function openSettings(home: string, make: () => ConfLike): SettingsStore {
  let conf: ConfLike;
  try {
    conf = make();
    read(conf);
  } catch (error) {
    const file = join(home, `${settingsFile}.json`);
    try {
      renameSync(file, `${file}.broken`);
    } catch {
      throw error; // it is not the file that is wrong
    }
    conf = make();
  }
  return settingsStore(conf);
}

function read(conf: ConfLike): Settings {
  return checked({
    theme: conf.get('theme') as Settings['theme'],
    language: conf.get('language') as Settings['language'],
    registries: (conf.get('registries') as RegistrySettings | undefined) ?? noRegistrySettings,
  });
}

/** @throws invalid naming the setting and what it may be */
function checked(settings: Settings): Settings {
  for (const [key, words] of Object.entries(choices)) {
    const value = settings[key as keyof typeof choices];
    if (!(words as readonly unknown[]).includes(value))
      throw invalid(`${JSON.stringify(value)} is not a ${key}`, { hint: `Choose one of ${words.join(', ')}.` });
  }
  return { ...settings, registries: registrySettings(settings.registries) };
}

/** A SettingsStore over an open Conf. */
export function settingsStore(conf: ConfLike): SettingsStore {
  const listeners = new Set<(settings: Settings) => void>();
  let current = read(conf);
  return {
    get: () => current,
    set(change) {
      const given = Object.entries(change).filter(([, value]) => value !== undefined);
      const next = checked({ ...current, ...Object.fromEntries(given) } as Settings);
      if (isDeepStrictEqual(next, current)) return current;
      conf.set({ ...next });
      current = next;
      for (const listener of listeners) listener(next);
      return next;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
