import { describe, expect, it } from 'vitest';
import { signatures, typeMismatch } from './signatures.ts';
import { HandGuest } from './testing.ts';

const imported = (name: string, params: readonly string[], results: readonly string[] = ['i32']) =>
  typeMismatch({ module: 'wasi_snapshot_preview1', name, kind: 'function', params, results });

describe('types of imports', () => {
  it('are known for every function of the host', () => {
    using guest = new HandGuest();
    const plain = new Set(Object.keys(guest.imports).map((name) => name.replace(/_v2$/, '')));
    expect([...plain].sort()).toEqual(Object.keys(signatures).sort());
  });

  it('fit, in each of their shapes', () => {
    expect(imported('fd_seek', ['i32', 'i64', 'i32', 'i32'])).toBeUndefined();
    expect(imported('proc_exit', ['i32'], [])).toBeUndefined();
    expect(imported('sched_yield', [])).toBeUndefined();
    for (const count of [2, 3])
      expect(
        imported(
          'sock_accept',
          Array.from({ length: count }, () => 'i32'),
        ),
      ).toBeUndefined();
    expect(imported('what_is_this', ['f64'], [])).toBeUndefined();
  });

  it('do not, and it is said how they should be', () => {
    expect(imported('fd_close', ['i64'])).toBe(
      'has the type (i32) -> (i32), but the module imports it as (i64) -> (i32)',
    );
    expect(imported('fd_close', ['i32'], [])).toMatch(/as \(i32\) -> \(\)$/);
    expect(imported('proc_exit', ['i32'])).toMatch(/^has the type \(i32\) -> \(\), but/);
    expect(imported('sock_accept', ['i32'])).toMatch(/^has the type \(i32, i32\) -> \(i32\) or \(i32, i32, i32\)/);
    expect(imported('sock_open_v2', ['i32'])).toMatch(/^has the type/);
  });
});
