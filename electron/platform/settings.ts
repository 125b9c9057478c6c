/**
 * What a person chose, in HOME/config.json. The desktop opens it with electron-store, headless with conf (its base: the same file); both are a
 * Conf, and the rest of Drydock sees only a SettingsStore.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { invalid } from '../base/errors.ts';

/** The same shape as `settings` of electron/contract, which this layer may not import; rpc's types hold the two together. */
export interface Settings {
  readonly theme: 'system' | 'light' | 'dark';
  readonly language: 'system' | 'en' | 'zh-CN';
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
} as const;

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
  const settings = { theme: conf.get('theme'), language: conf.get('language') };
  for (const [key, { enum: choices }] of Object.entries(settingsSchema)) {
    const value = settings[key as keyof Settings];
    if (!(choices as readonly unknown[]).includes(value)) throw invalid(`setting ${key} is ${JSON.stringify(value)}`);
  }
  return settings as Settings;
}

/** A SettingsStore over an open Conf. */
export function settingsStore(conf: ConfLike): SettingsStore {
  const listeners = new Set<(settings: Settings) => void>();
  let current = read(conf);
  return {
    get: () => current,
    set(change) {
      const given = Object.entries(change).filter(([, value]) => value !== undefined);
      const next = { ...current, ...Object.fromEntries(given) } as Settings;
      if (given.every(([key, value]) => current[key as keyof Settings] === value)) return current;
      for (const [key, { enum: choices }] of Object.entries(settingsSchema)) {
        const value = next[key as keyof Settings];
        if (!(choices as readonly string[]).includes(value)) {
          throw invalid(`"${value}" is not a ${key}`, { hint: `Choose one of ${choices.join(', ')}.` });
        }
      }
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
