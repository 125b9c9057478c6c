import { describe, expect, it } from 'vitest';
import { monotonic, realtime } from './clock.ts';
import { errno } from './errno.ts';
import { PREVIEW1_SUBSCRIPTION, UNSTABLE_SUBSCRIPTION } from './poll.ts';
import { at, HandGuest } from './testing.ts';
import { CLOCK_ABSTIME, clockid, EVENT_HANGUP, eventtype } from './types.ts';
import { createUnstable } from './unstable.ts';

type Wanted = { fd: number; type?: number } | { clock: number; timeout: bigint; absolute?: boolean } | { tag: number };

const MILLISECOND = 1_000_000n;

function subscribe(guest: HandGuest, wanted: readonly Wanted[], layout = PREVIEW1_SUBSCRIPTION): number[] {
  wanted.forEach((one, index) => {
    const start = at.text + index * layout.size;
    const { view } = guest;
    view.setBigUint64(start, BigInt(100 + index), true);
    if ('tag' in one) view.setUint8(start + 8, one.tag);
    else if ('fd' in one) {
      view.setUint8(start + 8, one.type ?? eventtype.fdRead);
      view.setUint32(start + 16, one.fd, true);
    } else {
      view.setUint8(start + 8, eventtype.clock);
      view.setUint32(start + layout.clockId, one.clock, true);
      view.setBigUint64(start + layout.timeout, one.timeout, true);
      view.setUint16(start + layout.flags, one.absolute ? CLOCK_ABSTIME : 0, true);
    }
  });
  return [at.text, at.data, wanted.length, at.out];
}

const events = (guest: HandGuest) =>
  Array.from({ length: guest.out32() }, (_, index) => {
    const start = at.data + index * 32;
    const { view } = guest;
    return {
      which: Number(view.getBigUint64(start, true)) - 100,
      error: view.getUint16(start + 8, true),
      type: view.getUint8(start + 10),
      bytes: Number(view.getBigUint64(start + 16, true)),
      flags: view.getUint16(start + 24, true),
    };
  });

describe('poll_oneoff', () => {
  it('tells at once what is ready', () => {
    using guest = new HandGuest({ lower: { f: 'four' } });
    guest.stdin.give('abc');
    const file = guest.open('f');
    guest.ok(
      'poll_oneoff',
      ...subscribe(guest, [
        { fd: 0 },
        { fd: 1, type: eventtype.fdWrite },
        { fd: file },
        { clock: clockid.monotonic, timeout: 10_000n * MILLISECOND },
        { fd: 55 },
        { fd: 1, type: eventtype.fdRead },
        { tag: 9 },
      ]),
    );
    expect(events(guest)).toMatchObject([
      { which: 0, error: 0, type: eventtype.fdRead, bytes: 3, flags: 0 },
      { which: 1, error: 0, type: eventtype.fdWrite },
      { which: 2, error: 0, type: eventtype.fdRead, bytes: 4 },
      { which: 4, error: errno.badf },
      { which: 5, error: errno.badf },
      { which: 6, error: errno.inval },
    ]);
  });

  it('waits for input, and tells its end as a hang-up', () => {
    using guest = new HandGuest();
    const wait = guest.wait('poll_oneoff', ...subscribe(guest, [{ fd: 0 }]));
    expect(wait.deadline).toBeUndefined();
    expect(wait.ready()).toBe(false);
    // What the guest (another thread of it) does to the list now does not matter.
    guest.bytes.fill(0xff, at.text, at.text + 48);
    guest.stdin.closed = true;
    expect(wait.ready()).toBe(true);
    expect(wait.resume()).toBe(0);
    expect(events(guest)).toEqual([{ which: 0, error: 0, type: eventtype.fdRead, bytes: 0, flags: EVENT_HANGUP }]);
  });

  it('waits for room', () => {
    using guest = new HandGuest();
    guest.stdout.room = 0;
    const wait = guest.wait('poll_oneoff', ...subscribe(guest, [{ fd: 1, type: eventtype.fdWrite }]));
    expect(typeof wait.resume()).toBe('object');
    guest.stdout.room = 10;
    expect(wait.ready()).toBe(true);
    expect(wait.resume()).toBe(0);
    expect(events(guest)).toMatchObject([{ which: 0, type: eventtype.fdWrite }]);
  });

  it('waits until the nearest of several times', () => {
    using guest = new HandGuest();
    const before = monotonic();
    const wait = guest.wait(
      'poll_oneoff',
      ...subscribe(guest, [
        { clock: clockid.monotonic, timeout: 60_000n * MILLISECOND },
        { clock: clockid.realtime, timeout: realtime() + 30_000n * MILLISECOND, absolute: true },
        { clock: clockid.monotonic, timeout: before + 40_000n * MILLISECOND, absolute: true },
        { fd: 0 },
      ]),
    );
    const left = (wait.deadline as bigint) - before;
    expect(left > 29_900n * MILLISECOND && left < 30_100n * MILLISECOND).toBe(true);
    guest.stdin.give('x');
    expect(wait.resume()).toBe(0);
    expect(events(guest)).toMatchObject([{ which: 3, bytes: 1 }]);
  });

  it('tells times that have come, each with its own number', () => {
    using guest = new HandGuest();
    guest.ok(
      'poll_oneoff',
      ...subscribe(guest, [
        { clock: clockid.monotonic, timeout: 0n },
        { clock: clockid.realtime, timeout: 1n, absolute: true },
        { clock: clockid.monotonic, timeout: 1_000_000n * MILLISECOND },
        { fd: 0 },
      ]),
    );
    expect(events(guest)).toMatchObject([
      { which: 0, error: 0, type: eventtype.clock },
      { which: 1, error: 0, type: eventtype.clock },
    ]);
    const wait = guest.wait(
      'poll_oneoff',
      ...subscribe(guest, [{ clock: clockid.monotonic, timeout: 2n * MILLISECOND }]),
    );
    while (monotonic() < (wait.deadline as bigint)) expect(wait.resume()).not.toBe(errno.inval);
    expect(wait.resume()).toBe(0);
    expect(events(guest)).toMatchObject([{ which: 0, type: eventtype.clock }]);
  });

  it('refuses what it cannot do', () => {
    using guest = new HandGuest();
    expect(guest.errno('poll_oneoff', at.text, at.data, 0, at.out)).toBe(errno.inval);
    expect(guest.errno('poll_oneoff', at.text, at.data, 1 << 20, at.out)).toBe(errno.inval);
    expect(guest.errno('poll_oneoff', at.text, 65_530, 1, at.out)).toBe(errno.fault);
    guest.ok('poll_oneoff', ...subscribe(guest, [{ clock: clockid.threadCpu, timeout: 5n }, { fd: 3 }]));
    expect(events(guest)).toMatchObject([{ error: errno.notsup }, { error: errno.isdir }]);
  });
});

describe('wasi_unstable', () => {
  it('polls with subscriptions of 56 bytes', () => {
    using guest = new HandGuest();
    guest.imports = createUnstable(guest.preview1);
    guest.stdin.give('abc');
    const wanted: Wanted[] = [{ clock: clockid.monotonic, timeout: 10_000n * MILLISECOND }, { fd: 0 }];
    guest.ok('poll_oneoff', ...subscribe(guest, wanted, UNSTABLE_SUBSCRIPTION));
    expect(events(guest)).toMatchObject([{ which: 1, bytes: 3 }]);
  });

  it('counts whence from CUR, and its stat has 56 bytes', () => {
    using guest = new HandGuest({ lower: { f: 'hello' } });
    const fd = guest.open('f');
    guest.imports = createUnstable(guest.preview1);
    guest.ok('fd_seek', fd, -2n, 1, at.out);
    expect(guest.read(fd, 10)).toBe('lo');
    guest.ok('fd_seek', fd, 1n, 2, at.out);
    guest.ok('fd_seek', fd, 1n, 0, at.out);
    expect(guest.out64()).toBe(2n);
    expect(guest.errno('fd_seek', fd, 0n, 3, at.out)).toBe(errno.inval);
    for (const call of [
      () => guest.ok('fd_filestat_get', fd, at.out),
      () => guest.ok('path_filestat_get', 3, 1, ...guest.text('f'), at.out),
    ]) {
      guest.view.setBigUint64(at.out + 56, 0xabcdn, true);
      call();
      expect(guest.view.getUint32(at.out + 20, true)).toBe(1);
      expect([guest.out64(24), guest.out64(56)]).toEqual([5n, 0xabcdn]);
    }
    expect(guest.errno('path_filestat_get', 3, 1, ...guest.text('/f'), at.out)).toBe(errno.notcapable);
    expect(Object.keys(guest.imports)).toHaveLength(45);
  });
});
