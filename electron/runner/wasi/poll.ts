import { monotonic, realtime } from './clock.ts';
import { errno, errnoOf } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';
import { CLOCK_ABSTIME, clockid, EVENT_HANGUP, eventtype } from './types.ts';
import type { Wait } from './world.ts';

/** A subscription, read once: nothing the guest does to its memory while it waits can change what it waits for. */
type Subscription = {
  readonly userdata: bigint;
  readonly type: number;
} & (
  | { readonly on: 'clock'; readonly deadline: bigint }
  | { readonly on: 'fd'; readonly fd: number }
  | { readonly on: 'error'; readonly error: number }
);

/** How subscriptions lie in memory; wasi_unstable has another layout. Offsets in bytes. */
export interface SubscriptionLayout {
  readonly size: number;
  readonly clockId: number;
  readonly timeout: number;
  readonly flags: number;
}

export const PREVIEW1_SUBSCRIPTION: SubscriptionLayout = { size: 48, clockId: 16, timeout: 24, flags: 40 };
/** A u64 identifier comes before the clock's id. */
export const UNSTABLE_SUBSCRIPTION: SubscriptionLayout = { size: 56, clockId: 24, timeout: 32, flags: 48 };

const EVENT_SIZE = 32;
/** Bytes that a writable pipe takes at once (PIPE_BUF). */
const PIPE_BUFFER = 4096n;
/** A list longer than any program's; it bounds the work of one call. */
const MAX_SUBSCRIPTIONS = 16_384;

interface Readiness {
  readonly error: number;
  readonly bytes: bigint;
  readonly flags: number;
}

const failed = (error: number): Readiness => ({ error, bytes: 0n, flags: 0 });

export function pollFamily(host: Host, layout: SubscriptionLayout = PREVIEW1_SUBSCRIPTION): Family {
  const { memory, descriptors } = host;

  const parse = (at: number, now: bigint): Subscription => {
    const { view } = memory;
    const userdata = view.getBigUint64(at, true);
    const type = view.getUint8(at + 8);
    if (type === eventtype.fdRead || type === eventtype.fdWrite)
      return { userdata, type, on: 'fd', fd: view.getUint32(at + 16, true) };
    if (type !== eventtype.clock) return { userdata, type, on: 'error', error: errno.inval };
    const id = view.getUint32(at + layout.clockId, true);
    const timeout = view.getBigUint64(at + layout.timeout, true);
    const absolute = (view.getUint16(at + layout.flags, true) & CLOCK_ABSTIME) !== 0;
    if (id !== clockid.realtime && id !== clockid.monotonic)
      return { userdata, type, on: 'error', error: id > clockid.threadCpu ? errno.inval : errno.notsup };
    const left = absolute ? timeout - (id === clockid.realtime ? realtime() : now) : timeout;
    return { userdata, type, on: 'clock', deadline: now + left };
  };

  /** What to tell about a descriptor; undefined = not ready. */
  const readiness = (fd: number, type: number): Readiness | undefined => {
    const descriptor = descriptors.find(fd);
    if (!descriptor) return failed(errno.badf);
    if (descriptor.kind === 'directory') return failed(errno.isdir);
    if (descriptor.kind === 'file') {
      if (type === eventtype.fdWrite) return { error: 0, bytes: PIPE_BUFFER, flags: 0 };
      try {
        const left = descriptor.file.stat().size - BigInt(descriptor.position);
        return { error: 0, bytes: left > 0n ? left : 0n, flags: 0 };
      } catch (error) {
        return failed(errnoOf(error));
      }
    }
    if (type === eventtype.fdWrite) {
      if (!descriptor.output) return failed(errno.badf);
      return descriptor.output.writable() ? { error: 0, bytes: PIPE_BUFFER, flags: 0 } : undefined;
    }
    if (!descriptor.input) return failed(errno.badf);
    const available = descriptor.input.available();
    if (available > 0) return { error: 0, bytes: BigInt(available), flags: 0 };
    return descriptor.input.ended() ? { error: 0, bytes: 0n, flags: EVENT_HANGUP } : undefined;
  };

  const isReady = (subscription: Subscription, now: bigint): boolean => {
    if (subscription.on === 'clock') return now >= subscription.deadline;
    return subscription.on === 'error' || readiness(subscription.fd, subscription.type) !== undefined;
  };

  /** Writes an event for all that is ready; their number. */
  const tell = (subscriptions: readonly Subscription[], events: number): number => {
    const now = monotonic();
    let count = 0;
    for (const subscription of subscriptions) {
      let state: Readiness | undefined;
      if (subscription.on === 'error') state = failed(subscription.error);
      else if (subscription.on === 'fd') state = readiness(subscription.fd, subscription.type);
      else if (now >= subscription.deadline) state = failed(0);
      if (!state) continue;
      const at = events + count * EVENT_SIZE;
      const { view } = memory;
      view.setBigUint64(at, subscription.userdata, true);
      view.setUint16(at + 8, state.error, true);
      view.setUint32(at + 12, 0, true);
      view.setUint16(at + 10, subscription.type, true);
      view.setBigUint64(at + 16, state.bytes, true);
      view.setBigUint64(at + 24, BigInt(state.flags), true);
      count += 1;
    }
    return count;
  };

  return guarded(memory, {
    poll_oneoff: (input: number, output: number, count: number, countOut: number): number | Wait => {
      const total = count >>> 0;
      if (total === 0 || total > MAX_SUBSCRIPTIONS) return errno.inval;
      const start = memory.at(input, total * layout.size);
      const events = memory.at(output, total * EVENT_SIZE);
      const out = memory.at(countOut, 4);
      const now = monotonic();
      const subscriptions: Subscription[] = [];
      let deadline: bigint | undefined;
      for (let index = 0; index < total; index++) {
        const subscription = parse(start + index * layout.size, now);
        subscriptions.push(subscription);
        if (subscription.on === 'clock' && (deadline === undefined || subscription.deadline < deadline))
          deadline = subscription.deadline;
      }
      const finish = (): number | Wait => {
        memory.refresh();
        const told = tell(subscriptions, events);
        if (told === 0) return wait;
        memory.view.setUint32(out, told, true);
        return errno.success;
      };
      const ready = (): boolean => subscriptions.some((subscription) => isReady(subscription, monotonic()));
      const wait: Wait = deadline === undefined ? { ready, resume: finish } : { ready, deadline, resume: finish };
      return finish();
    },
  });
}
