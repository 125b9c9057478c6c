/**
 * The packaged app, without Electron's binary: electron-builder packs onto a stand-in that has the names and the fuse wire of a real one. Proves what
 * is in app.asar and how the fuses stand; not that it starts.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listPackage } from '@electron/asar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './paths.mjs';

let directory: string;
const app = (...names: string[]): string => join(directory, 'release/linux-unpacked', ...names);

/** Electron's fuse wire in the binary: this text, a version, a count, then a '0' or '1' for each fuse (electron/docs/tutorial/fuses.md). */
const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

function fakeElectron(target: string): void {
  mkdirSync(join(target, 'locales'), { recursive: true });
  mkdirSync(join(target, 'resources'));
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/electron/package.json'), 'utf8')) as {
    version: string;
  };
  for (const [name, text] of Object.entries({
    version,
    LICENSE: '',
    'LICENSES.chromium.html': '',
    'locales/en-US.pak': '',
  }))
    writeFileSync(join(target, name), text);
  const wire = Buffer.concat([Buffer.from(sentinel), Buffer.from([1, 9]), Buffer.from('101100011')]);
  writeFileSync(join(target, 'electron'), Buffer.concat([Buffer.from('#!/bin/sh\nexit 0\n'), wire]));
  chmodSync(join(target, 'electron'), 0o755);
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-package-'));
  fakeElectron(join(directory, 'electron'));
  const run = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/electron-builder/cli.js'),
      ...['--linux', 'dir', '--config', join(root, 'build/electron-builder.yml')],
      `-c.electronDist=${join(directory, 'electron')}`,
      `-c.directories.output=${join(directory, 'release')}`,
    ],
    { cwd: root, encoding: 'utf8' },
  );
  expect(run.status, run.stdout + run.stderr).toBe(0);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('app.asar holds the built app and nothing of the workshop', () => {
  const files = listPackage(app('resources/app.asar'), { isPack: false });
  for (const file of [
    '/package.json',
    '/dist/main/main.js',
    '/dist/main/runner.cjs',
    '/dist/main/guest.cjs',
    '/dist/main/thread.cjs',
    '/dist/preload/index.cjs',
    '/dist/renderer/index.html',
  ])
    expect(files).toContain(file);
  expect(files.filter((file) => !/^\/(package\.json$|dist(\/|$))/.test(file))).toEqual([]);
});

test('pictures and licence lie beside it', () => {
  for (const name of ['tray/running-on-dark.png', 'tray/runningTemplate@2x.png', 'icon.png', 'LICENSE'])
    expect(readFileSync(app('resources', name)).length).toBeGreaterThan(0);
});

test('the fuses are blown: no Node, no inspector, code from app.asar only', () => {
  const binary = readFileSync(app('drydock'), 'latin1');
  const wire = binary.slice(binary.indexOf(sentinel) + sentinel.length + 2);
  const fuses = [
    'runAsNode',
    'cookieEncryption',
    'nodeOptions',
    'inspect',
    'asarIntegrity',
    'onlyAsar',
    'browserSnapshot',
    'fileProtocol',
    'wasmTrapHandlers',
  ];
  expect(fuses.filter((_, index) => wire[index] === '1')).toEqual(['asarIntegrity', 'onlyAsar', 'wasmTrapHandlers']);
});
