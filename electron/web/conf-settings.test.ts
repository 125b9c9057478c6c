import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openConfSettings } from './conf-settings.ts';

test('loading conf leaves nobody behind who answers signals', async () => {
  const home = mkdtempSync(join(tmpdir(), 'drydock-conf-'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;
  const before = signals.map((signal) => process.listenerCount(signal));
  const settings = await openConfSettings(home, '0.1.0');
  settings.set({ theme: 'dark' });
  expect(signals.map((signal) => process.listenerCount(signal))).toEqual(before);
  expect((await openConfSettings(home, '0.1.0')).get().theme).toBe('dark');
  rmSync(home, { recursive: true });
});
