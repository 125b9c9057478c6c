import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture } from '../../../test/fixtures/compile.ts';
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

function run(guest: HandGuest, module: WebAssembly.Module): number {
  const imports = Object.fromEntries(
    Object.entries(guest.imports).map(([name, host]) => [name, BLOCKING_IMPORTS.has(name) ? driven(host) : host]),
  );
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
    expect(run(guest, new WebAssembly.Module(readFileSync(fixture('wasi-files'))))).toBe(7);
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
});
