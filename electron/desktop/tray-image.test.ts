import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trayImage } from './tray-image.ts';

const folder = join(import.meta.dirname, '../../assets/tray');
const states = ['running', 'busy', 'paused', 'failed', 'stopped'];
const pngSize = (path: string): [number, number] => {
  const bytes = readFileSync(path);
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
};

test.each(states)('%s has a picture for every panel, at both scales', (state) => {
  for (const platform of ['darwin', 'win32', 'linux'] as const) {
    for (const dark of [true, false]) {
      const file = trayImage(folder, state, { platform, dark, desktop: 'KDE' });
      expect(existsSync(file), file).toBe(true);
      if (platform === 'win32') {
        const bytes = readFileSync(file);
        expect([...Array(bytes.readUInt16LE(4)).keys()].map((i) => bytes.readUInt8(6 + 16 * i))).toEqual([
          16, 20, 24, 32,
        ]);
        continue;
      }
      const [width, height] = pngSize(file);
      expect([width, height]).toEqual(platform === 'darwin' ? [20, 16] : [24, 24]);
      expect(pngSize(file.replace('.png', '@2x.png'))).toEqual([width * 2, height * 2]);
    }
  }
});

test('the ink follows the panel', () => {
  const name = (platform: NodeJS.Platform, dark: boolean, desktop = '') =>
    trayImage('', 'running', { platform, dark, desktop });
  expect(name('linux', false, 'ubuntu:GNOME')).toBe('running-on-dark.png');
  expect(name('linux', false, 'KDE')).toBe('running-on-light.png');
  expect(name('win32', false)).toBe('running-on-light.ico');
  expect(name('darwin', false)).toBe('runningTemplate.png');
});
