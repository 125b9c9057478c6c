import { monotonic, realtime } from './clock.ts';
import { errno } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';
import { edgeOf, failed, readiness, type Readiness } from './poll-readiness.ts';
import { CLOCK_ABSTIME, clockid, eventtype } from './types.ts';
import type { Wait } from './world.ts';

/** A subscription, read once: nothing the guest does to its memory while it waits can change what it waits for. */
type Subscription = {
  readonly userdata: bigint;
  readonly type: number;
} & (
  | { readonly on: 'clock'; readonly deadline: bigint }
  /** `last`: the edge that was told of this socket, when the call before had this subscription too; else undefined. */
  | { readonly on: 'fd'; readonly fd: number; readonly last: number | undefined }
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
/** A list longer than any program's; it bounds the work of one call. */
const MAX_SUBSCRIPTIONS = 16_384;

type State = Readiness | undefined;

export function pollFamily(host: Host, layout: SubscriptionLayout = PREVIEW1_SUBSCRIPTION): Family {
  const { memory, descriptors } = host;
  /** Calls of epoll_oneoff so far. */
  let edgeCalls = 0;

  const parse = (at: number, now: bigint, edge: boolean): Subscription => {
    const { view } = memory;
    const userdata = view.getBigUint64(at, true);
    const type = view.getUint8(at + 8);
    if (type === eventtype.fdRead || type === eventtype.fdWrite) {
      const fd = view.getUint32(at + 16, true);
      return { userdata, type, on: 'fd', fd, last: edge ? lastEdge(fd, type) : undefined };
    }
    if (type !== eventtype.clock) return { userdata, type, on: 'error', error: errno.inval };
    const id = view.getUint32(at + layout.clockId, true);
    const timeout = view.getBigUint64(at + layout.timeout, true);
    const absolute = (view.getUint16(at + layout.flags, true) & CLOCK_ABSTIME) !== 0;
    if (id !== clockid.realtime && id !== clockid.monotonic)
      return { userdata, type, on: 'error', error: id > clockid.threadCpu ? errno.inval : errno.notsup };
    const left = absolute ? timeout - (id === clockid.realtime ? realtime() : now) : timeout;
    return { userdata, type, on: 'clock', deadline: now + left };
  };

  /** Notes that this call watches the descriptor. */
  const lastEdge = (fd: number, type: number): number | undefined => {
    const descriptor = descriptors.find(fd);
    if (descriptor?.kind !== 'socket') return undefined;
    const { edges } = descriptor;
    const writing = type === eventtype.fdWrite;
    const watched = (writing ? edges.writeCall : edges.readCall) === edgeCalls - 1;
    if (writing) edges.writeCall = edgeCalls;
    else edges.readCall = edgeCalls;
    return watched ? (writing ? edges.toldWrite : edges.toldRead) : undefined;
  };

  const stateOf = ({ fd, type, last }: Subscription & { on: 'fd' }): State => {
    const descriptor = descriptors.find(fd);
    const state = readiness(descriptor, type);
    if (last === undefined || !state || descriptor?.kind !== 'socket') return state;
    return edgeOf(descriptor, type, state) === last ? undefined : state;
  };

  const noteTold = ({ fd, type }: Subscription & { on: 'fd' }, state: Readiness): void => {
    const descriptor = descriptors.find(fd);
    if (descriptor?.kind !== 'socket') return;
    const edge = edgeOf(descriptor, type, state);
    if (type === eventtype.fdWrite) descriptor.edges.toldWrite = edge;
    else descriptor.edges.toldRead = edge;
  };

  /** Writes an event for all that is ready; their number. */
  const tell = (subscriptions: readonly Subscription[], events: number, edge: boolean): number => {
    const now = monotonic();
    let count = 0;
    for (const subscription of subscriptions) {
      let state: State;
      if (subscription.on === 'error') state = failed(subscription.error);
      else if (subscription.on === 'fd') state = stateOf(subscription);
      else if (now >= subscription.deadline) state = failed(0);
      if (!state) continue;
      if (edge && subscription.on === 'fd') noteTold(subscription, state);
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

  const poll = (
    [input, output, count, countOut]: readonly [number, number, number, number],
    edge: boolean,
  ): number | Wait => {
    const total = count >>> 0;
    if (total === 0 || total > MAX_SUBSCRIPTIONS) return errno.inval;
    const start = memory.at(input, total * layout.size);
    const events = memory.at(output, total * EVENT_SIZE);
    const out = memory.at(countOut, 4);
    const now = monotonic();
    if (edge) edgeCalls += 1;
    const subscriptions: Subscription[] = [];
    let deadline: bigint | undefined;
    for (let index = 0; index < total; index++) {
      const subscription = parse(start + index * layout.size, now, edge);
      subscriptions.push(subscription);
      if (subscription.on === 'clock' && (deadline === undefined || subscription.deadline < deadline))
        deadline = subscription.deadline;
    }
    const finish = (): number | Wait => {
      memory.refresh();
      const told = tell(subscriptions, events, edge);
      if (told === 0) return wait;
      memory.view.setUint32(out, told, true);
      return errno.success;
    };
    // Times are the deadline's affair: only descriptors become ready by themselves, and the first that is ends the search.
    const ready = (): boolean =>
      subscriptions.some((subscription) => subscription.on === 'fd' && stateOf(subscription) !== undefined);
    const wait: Wait = deadline === undefined ? { ready, resume: finish } : { ready, deadline, resume: finish };
    return finish();
  };

  return guarded(memory, {
    poll_oneoff: (input: number, output: number, count: number, countOut: number) =>
      poll([input, output, count, countOut], false),
    /**
     * WasmEdge's edge-triggered poll (since 0.11): a socket that stays ready is told once. It is told anew after it was left out of a call, as if it
     * had been added. Files and streams are told whenever they are ready.
     */
    epoll_oneoff: (input: number, output: number, count: number, countOut: number) =>
      poll([input, output, count, countOut], true),
  });
}
