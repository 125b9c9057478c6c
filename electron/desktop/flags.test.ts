import { expect, test } from 'vitest';
import { desktopFlags } from './flags.ts';

test('finds its own flags among files and switches of Chromium', () => {
  const args = [
    '--no-sandbox',
    '--home',
    '/data',
    'a.wasm',
    '--docker-host=unix:///run/d.sock',
    '--ozone-platform=x11',
  ];
  expect(desktopFlags(args, {})).toEqual({
    home: '/data',
    ownHome: true,
    socketPath: '/run/d.sock',
    dockerHost: 'unix:///run/d.sock',
    hidden: false,
  });
});

test('the usual instance, and one of its own by the environment', () => {
  expect(desktopFlags(['--hidden'], {})).toMatchObject({ ownHome: false, hidden: true });
  expect(desktopFlags([], { DRYDOCK_HOME: '/x' }).ownHome).toBe(true);
});

test('a pipe of Windows is written both ways', () => {
  const { socketPath, dockerHost } = desktopFlags(['--docker-host', 'npipe:////./pipe/mine'], {});
  expect([socketPath, dockerHost]).toEqual(['\\\\.\\pipe\\mine', 'npipe:////./pipe/mine']);
});

test('what is no socket is not taken', () => {
  expect(desktopFlags(['--docker-host', 'tcp://0.0.0.0:2375'], {}).socketPath).toMatch(/docker\.sock$|pipe/);
});
