import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noRegistrySettings, registrySettings, registrySettingsOf } from './registry-settings.ts';

test('what is missing has its default, spaces and empty lines go', () => {
  expect(registrySettings(undefined)).toEqual(noRegistrySettings);
  expect(registrySettings({ insecure: [' 10.0.0.0/8 ', ''], caFile: '/ca.pem' })).toEqual({
    ...noRegistrySettings,
    insecure: ['10.0.0.0/8'],
    caFile: '/ca.pem',
  });
});

test.each([
  [7, 'is not an object'],
  [{ mirrors: 'https://m' }, 'registries.mirrors is not a list'],
  [{ mirrors: ['mirror'] }, 'registries.mirrors holds "mirror"'],
  [{ insecure: ['a b'] }, 'registries.insecure holds "a b"'],
  [{ caFile: 'ca.pem' }, 'an absolute path'],
  [{ httpsProxy: 'proxy:secret@x' }, 'registries.httpsProxy is wrong'],
  [{ noProxy: 1 }, 'registries.noProxy is not a text'],
  [{ npm: 'npmjs' }, 'it wants the URL of an npm registry'],
])('%j is refused', (value, message) => {
  expect(() => registrySettings(value)).toThrow(message);
});

test('a change of the file counts at once', () => {
  const home = mkdtempSync(join(tmpdir(), 'drydock-registry-settings-'));
  const settings = registrySettingsOf(home);
  expect(settings()).toEqual(noRegistrySettings);
  writeFileSync(join(home, 'config.json'), '{"theme": "dark", "registries": {"mirrors": ["https://m.example"]}}');
  expect(settings().mirrors).toEqual(['https://m.example']);
  writeFileSync(join(home, 'config.json'), '{"registries": ');
  expect(settings).toThrow(/config\.json cannot be read/);
  rmSync(home, { recursive: true });
});
