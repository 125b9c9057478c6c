import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { UtilityProcess } from 'electron';
import { expect, test } from 'vitest';
import { utilityHost } from './utility-host.ts';

class Child extends EventEmitter {
  pid: number | undefined = undefined;
  stderr = new PassThrough();
  posted: unknown[] = [];
  kills = 0;
  postMessage(message: unknown): void {
    this.posted.push(message);
  }
  kill(): boolean {
    this.kills++;
    return true;
  }
}

function start(posix = true) {
  const child = new Child();
  const forks: unknown[] = [];
  const signals: [number, string][] = [];
  const lines: string[] = [];
  const host = utilityHost({
    runnerPath: '/dist/runner.cjs',
    fork: (...args) => {
      forks.push(args);
      return child as unknown as UtilityProcess;
    },
    log: (line) => lines.push(line),
    posix,
    env: { PATH: '/bin', GITHUB_TOKEN: 'x', https_proxy: 'http://me:secret@proxy', LD_LIBRARY_PATH: '/app' },
    signal: (pid, name) => signals.push([pid, name]),
  });
  return { child, forks, signals, lines, host, process: host.spawn('runner 1', ['--fast']) };
}

test('forks the runner under its name, without output of programs and secrets', () => {
  const { forks, host } = start();
  expect(forks).toEqual([
    [
      '/dist/runner.cjs',
      ['--fast'],
      {
        serviceName: 'runner 1',
        execArgv: ['--js-flags=--single-threaded-gc'],
        env: { PATH: '/bin', LD_LIBRARY_PATH: '/app' },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    ],
  ]);
  expect(host.canSuspend).toBe(true);
});

test('the pid is known between spawn and exit', () => {
  const { child, process } = start();
  expect(process.pid).toBeUndefined();
  child.pid = 7;
  expect(process.pid).toBe(7);
  child.emit('exit', 0);
  expect(process.pid).toBeUndefined();
});

test('messages pass both ways, and nothing is posted from or after the exit', () => {
  const { child, process } = start();
  const seen: unknown[] = [];
  process.onMessage((message) => seen.push(message));
  child.emit('message', { t: 'ready' });
  process.post({ t: 'ping' });
  let exits = 0;
  process.onExit(() => {
    exits++;
    process.post('late');
  });
  child.emit('exit', 3);
  child.emit('exit', 3);
  process.kill();
  expect(seen).toEqual([{ t: 'ready' }]);
  expect(child.posted).toEqual([{ t: 'ping' }]);
  expect([exits, child.kills]).toEqual([1, 0]);
});

test('kills at once by pid, so that a stopped process dies too', () => {
  const { child, process, signals } = start();
  child.pid = 9;
  process.kill();
  expect(signals).toEqual([[9, 'SIGKILL']]);
});

test('a kill before the spawn is kept', () => {
  const { child, process, signals } = start();
  process.kill();
  expect(child.kills).toBe(1);
  child.pid = 11;
  child.emit('spawn');
  expect(signals).toEqual([[11, 'SIGKILL']]);
});

test('on Windows Electron kills, and nothing can be suspended', () => {
  const { child, process, host } = start(false);
  child.pid = 5;
  process.kill();
  expect([child.kills, host.canSuspend]).toEqual([1, false]);
});

test('the last words of a crash are logged', async () => {
  const { child, lines } = start();
  child.stderr.write('x'.repeat(9000));
  child.stderr.write('FATAL');
  await new Promise((resolve) => setImmediate(resolve));
  child.emit('error', 'FatalError', 'v8::Heap');
  child.emit('exit', 134);
  expect(lines[0]).toBe('runner 1: FatalError in v8::Heap');
  expect(lines[1]).toMatch(/^runner 1 \(exit 134\): x+FATAL$/);
  expect(lines[1]?.length).toBeLessThan(4200);
});
