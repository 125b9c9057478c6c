import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Conf from 'conf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noRegistrySettings as registries } from './registry-settings.ts';
import { openSettings, settingsFile, settingsSchema, type Settings } from './settings.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'drydock-settings-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const file = () => join(home, 'config.json');
const open = () =>
  openSettings(
    home,
    () => new Conf({ cwd: home, configName: settingsFile, projectVersion: '0.1.0', schema: settingsSchema }),
  );

test('defaults, changes that last, listeners', () => {
  const settings = open();
  expect(settings.get()).toEqual({ theme: 'system', language: 'system', registries });
  const heard: Settings[] = [];
  const end = settings.onChange((now) => heard.push(now));
  settings.set({ theme: 'dark', language: undefined });
  settings.set({ theme: 'dark' }); // nothing new
  end();
  settings.set({ language: 'zh-CN' });
  expect(heard).toEqual([{ theme: 'dark', language: 'system', registries }]);
  expect(open().get()).toEqual({ theme: 'dark', language: 'zh-CN', registries });
});

test('a value that is none is refused by name and changes nothing', () => {
  const settings = open();
  settings.set({ theme: 'dark' });
  const before = readFileSync(file(), 'utf8');
  expect(() => settings.set({ theme: 'pink' as 'dark' })).toThrow('"pink" is not a theme');
  expect(readFileSync(file(), 'utf8')).toBe(before);
  expect(settings.get().theme).toBe('dark');
});

test.each([
  ['no JSON', '{"theme": '],
  ['a value of another version', '{"theme": "pink"}'],
])('a file with %s is put aside, and a fresh one begun', (_what, text) => {
  writeFileSync(file(), text);
  expect(open().get()).toEqual({ theme: 'system', language: 'system', registries });
  expect(readFileSync(`${file()}.broken`, 'utf8')).toBe(text);
});

test('a value that another Drydock knows is kept', () => {
  writeFileSync(file(), '{"theme": "dark", "language": "en", "future": [1]}');
  open().set({ theme: 'light' });
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ theme: 'light', future: [1] });
});

test('registries: kept as given, refused by name', () => {
  const settings = open();
  const wanted = { ...registries, insecure: ['registry.test:5000'], httpsProxy: 'http://proxy:3128' };
  settings.set({ registries: wanted });
  expect(open().get().registries).toEqual(wanted);
  expect(() => settings.set({ registries: { ...registries, mirrors: ['m'] } })).toThrow('registries.mirrors holds "m"');
  expect(open().get().registries).toEqual(wanted);
});
