import { constants } from 'node:os';
import { openSettings, settingsFile, settingsSchema, type SettingsStore } from '../platform/settings.ts';

/** Settings in HOME/config.json by conf, loaded now. @param version Drydock's own */
export async function openConfSettings(home: string, version: string): Promise<SettingsStore> {
  const Conf = await loadConf();
  return openSettings(
    home,
    () => new Conf({ cwd: home, configName: settingsFile, projectVersion: version, schema: settingsSchema }),
  );
}

/**
 * conf writes through atomically, which loads when-exit, which answers every signal by sending it to this process once more: our second signal
 * means "at once", so a clean stop would be cut short. Its listeners are taken away; the one for `exit`, which removes half-written files, stays.
 */
async function loadConf() {
  const signals = Object.keys(constants.signals) as NodeJS.Signals[];
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]));
  const { default: Conf } = await import('conf');
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.get(signal)?.has(listener)) process.off(signal, listener);
    }
  }
  return Conf;
}
