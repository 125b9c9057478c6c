import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture } from '../../../test/fixtures/compile.ts';
import { describeModule } from '../../module/describe-module.ts';
import { FakeNet } from './net-testing.ts';
import { BLOCKING_IMPORTS } from './preview1.ts';
import { HandGuest } from './testing.ts';
import { ProcExit, type HostFunction, type Wait } from './world.ts';

/** Waits as a thread may, by asking again; nothing else is going on in these tests. */
function driven(host: HostFunction): HostFunction {
  const call = host as (...args: unknown[]) => number | Wait;
  return (...args: never[]) => {
    let answer = call(...args);
    while (typeof answer === 'object') {
      const { ready, deadline } = answer;
      while (!ready() && (deadline === undefined || process.hrtime.bigint() < deadline));
      answer = answer.resume();
    }
    return answer;
  };
}

function run(guest: HandGuest, bytes: Buffer<ArrayBuffer>): number {
  const { imports: declared } = describeModule(bytes);
  const imports = Object.fromEntries(
    declared.map(({ name, params }) => {
      const host = guest.preview1.find(name, params) as HostFunction;
      return [name, BLOCKING_IMPORTS.has(name) ? driven(host) : host];
    }),
  );
  const module = new WebAssembly.Module(bytes);
  const instance = new WebAssembly.Instance(module, {
    wasi_snapshot_preview1: imports as Record<string, WebAssembly.ImportValue>,
  });
  guest.preview1.bindMemory(instance.exports['memory'] as WebAssembly.Memory);
  try {
    (instance.exports['_start'] as () => void)();
    return 0;
  } catch (error) {
    if (error instanceof ProcExit) return error.code;
    throw error;
  }
}

describe('programs', () => {
  it('a C program sees absolute and relative paths, links, appends and directories as on any system', () => {
    using guest = new HandGuest({
      lower: { 'etc/hosts': 'localhost', link: '->/etc/hosts', outside: '->../../../../../../etc/passwd' },
    });
    guest.stdin.closed = true;
    expect(run(guest, readFileSync(fixture('wasi-files')))).toBe(7);
    expect(guest.stdout.records.join('').split('\n')).toEqual([
      '/etc/hosts: localhost',
      'etc/hosts: localhost',
      './etc/../etc/hosts: localhost',
      '/../etc/hosts: localhost',
      '/link: localhost',
      '/outside: No such file or directory',
      '/nothing: No such file or directory',
      // A directory opens for reading; it is the read that fails.
      '/etc: ',
      'log: 8 bytes, file',
      '/etc: . .. hosts log',
      'short: one',
      '',
      'unlink: 0 rmdir: Directory not empty',
      '/: . .. etc link made outside short',
      'terminal: 0 0',
      'slept: 1',
      'input: -1',
      '',
    ]);
    expect(readFileSync(join(guest.scratch.upper, 'made/log'), 'utf8')).toBe('one\ntwo\n');
    expect(existsSync(join(guest.scratch.upper, 'etc/.wh.hosts'))).toBe(true);
    expect(readFileSync(join(guest.scratch.lower, 'etc/hosts'), 'utf8')).toBe('localhost');
  });

  it('a C program on sockets finds all that it needs', () => {
    const net = new FakeNet();
    net.names.set('web', ['10.0.0.2', 'fd00::2']);
    const probe = readFileSync(fixture('socket-probe'));
    const shown = (...args: readonly string[]): string[] => {
      using guest = new HandGuest({ args: ['probe', ...args], net });
      run(guest, probe);
      return guest.stdout.records.join('').trimEnd().split('\n');
    };
    expect(shown('options')).toEqual([
      ...['type 2', 'reuse 0', 'reuse 1', 'error 0', 'listens 0', 'timeout 1.500000', 'unknown 28', 'socket 1'],
    ]);
    expect(shown('resolve', 'web', 'http')).toEqual([
      'inet4 10.0.0.2 port 80',
      'inet6 fd000000000000000000000000000002 port 80',
    ]);
    expect(shown('resolve', 'nobody')).toEqual(['error 84']);
    expect(shown('connect', '127.0.0.1', '9')).toEqual(['connect 14', 'poll 1', 'error 0']);
    expect(shown('loopback')).toEqual([
      ...['bind 0', 'listen 0', 'family 4 port 1', 'taken 3', 'connect 0', 'accept 0', 'write 4', 'recv 0 ping'],
      ...['send 0 5', 'read 5', 'poll 1 1', 'end 0', 'half 1'],
    ]);
  });

  it('a C program serves a socket that it was given, by the standard calls', () => {
    const net = new FakeNet();
    const socket = net.socket(4, 'stream');
    socket.bind({ address: '0.0.0.0', port: 8080 }).poll();
    socket.listen().poll();
    const peer = net.connectTo(8080);
    peer.say('hello');
    peer.shutdown(false, true);
    using guest = new HandGuest({ args: ['serve'], env: ['LISTEN_FDS=1'], net, sockets: [socket] });
    expect(run(guest, readFileSync(fixture('listen-fds')))).toBe(0);
    expect(guest.stdout.records.join('')).toBe('sockets 1\n');
    expect(peer.bytes.toString()).toBe('hello');
  });
});
