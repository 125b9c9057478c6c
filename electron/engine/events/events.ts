/** What happened, in order. A ring of the last events; every reader is a cursor over it, so a slow one holds no memory of its own. */
import type { EngineEvent, EventsApi, Filters } from '../api/index.ts';
import { nowNano } from '../../base/clock.ts';
import { eventMatches } from './filter.ts';

/** More than the 256 that moby keeps: the window and compose replay after a reconnect. */
const capacity = 4096;

export type NewEvent = Omit<EngineEvent, 'timeNano'>;

export interface Events extends EventsApi {
  emit(event: NewEvent): void;
  /** Ends every stream. */
  close(): void;
}

/** `onError` hears of listeners that throw: what one of them does wrong must not stop a container half-way through its start. */
export function createEvents(now: () => bigint = nowNano, onError: (error: unknown) => void = () => {}): Events {
  const ring = new Array<EngineEvent | undefined>(capacity);
  /** Sequence number of the next event; event n is at n % capacity. */
  let next = 0;
  let last = 0n;
  let closed = false;
  const listeners = new Set<(event: EngineEvent) => void>();
  const sleepers = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of sleepers) wake();
  };

  return {
    emit(event) {
      if (closed) return;
      const time = now();
      last = time > last ? time : last + 1n;
      const stamped = { ...event, timeNano: last };
      ring[next % capacity] = stamped;
      next++;
      // A copy, so that a listener which unsubscribes another does not skip a third.
      for (const listener of [...listeners]) {
        try {
          listener(stamped);
        } catch (error) {
          onError(error);
        }
      }
      wakeAll();
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    stream(options, signal) {
      // Where to begin is settled now, not at the first next(): nothing between the two may be missed.
      const begin = options.since === undefined ? next : firstSince(options.since);
      return read(begin, options.until, options.filters, signal);
    },

    close() {
      closed = true;
      wakeAll();
    },
  };

  function firstSince(since: bigint): number {
    let low = Math.max(0, next - capacity);
    let high = next;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ring[middle % capacity]?.timeNano ?? 0n) < since) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async function* read(
    begin: number,
    until: bigint | undefined,
    filters: Filters,
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent> {
    let at = begin;
    for (;;) {
      if (signal.aborted) return;
      // Overtaken by a whole ring: the oldest that is left is the honest place to go on.
      at = Math.max(at, next - capacity);
      if (at < next) {
        const event = ring[at++ % capacity];
        if (!event) continue;
        if (until !== undefined && event.timeNano > until) return;
        if (eventMatches(event, filters)) yield event;
        continue;
      }
      if (closed || !(await sleep(until, signal))) return;
    }
  }

  /** Until there is something new (true), or `until` has passed or the reader gave up (false). */
  function sleep(until: bigint | undefined, signal: AbortSignal): Promise<boolean> {
    const left = until === undefined ? undefined : Number((until - now()) / 1_000_000n);
    if (left !== undefined && left < 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      // setTimeout takes at most 2^31-1 ms; when it fires early, the loop just looks again.
      const timer = left === undefined ? undefined : setTimeout(() => done(true), Math.min(left + 1, 2 ** 31 - 1));
      const wake = (): void => done(true);
      const abort = (): void => done(false);
      const done = (value: boolean): void => {
        clearTimeout(timer);
        sleepers.delete(wake);
        signal.removeEventListener('abort', abort);
        resolve(value);
      };
      sleepers.add(wake);
      signal.addEventListener('abort', abort);
    });
  }
}
