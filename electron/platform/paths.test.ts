import { expect, test } from 'vitest';
import { defaultHome, defaultSocket } from './paths.ts';

const linux = { platform: 'linux', env: {}, userHome: '/home/ann' } as const;
const mac = { platform: 'darwin', env: {}, userHome: '/Users/ann' } as const;
const windows = {
  platform: 'win32',
  env: { LOCALAPPDATA: 'C:\\Users\\ann\\AppData\\Local' },
  userHome: 'C:\\Users\\ann',
} as const;

test('each system has its own data root', () => {
  expect(defaultHome(linux)).toBe('/home/ann/.local/share/drydock');
  expect(defaultHome(mac)).toBe('/Users/ann/Library/Application Support/Drydock');
  expect(defaultHome(windows)).toBe('C:\\Users\\ann\\AppData\\Local\\Drydock');
  expect(defaultHome({ ...windows, env: {} })).toBe('C:\\Users\\ann\\AppData\\Local\\Drydock');
});

test('XDG_DATA_HOME counts only when absolute, and DRYDOCK_HOME beats everything', () => {
  expect(defaultHome({ ...linux, env: { XDG_DATA_HOME: '/data' } })).toBe('/data/drydock');
  expect(defaultHome({ ...linux, env: { XDG_DATA_HOME: 'data' } })).toBe('/home/ann/.local/share/drydock');
  expect(defaultHome({ ...mac, env: { DRYDOCK_HOME: '/x' } })).toBe('/x');
});

test('the socket is in the runtime directory on Linux, a pipe on Windows', () => {
  expect(defaultSocket({ ...linux, env: { XDG_RUNTIME_DIR: '/run/user/7' } })).toBe('/run/user/7/drydock/docker.sock');
  expect(defaultSocket(linux)).toBe('/home/ann/.drydock/docker.sock');
  expect(defaultSocket(mac)).toBe('/Users/ann/.drydock/docker.sock');
  expect(defaultSocket(windows)).toBe('\\\\.\\pipe\\drydock');
});
