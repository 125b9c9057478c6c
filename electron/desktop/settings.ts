import ElectronStore from 'electron-store';
import { openSettings, settingsFile, settingsSchema, type SettingsStore } from '../platform/settings.ts';

/** HOME/config.json, the same file that headless opens with conf. */
export const desktopSettings = (home: string, version: string): SettingsStore =>
  openSettings(
    home,
    () => new ElectronStore({ cwd: home, name: settingsFile, projectVersion: version, schema: settingsSchema }),
  );

/** What belongs to this machine's desktop and not to the data root: the window's place. In the user data directory. */
export function windowStore(): { get(key: 'window'): unknown; set(key: 'window', value: unknown): void } {
  return new ElectronStore<{ window?: unknown }>({ name: 'window', clearInvalidConfig: true });
}
