import type { GuestListener } from '../supervisor/protocol.ts';
import type { GuestNet, GuestSocket, Pending } from './net/guest-net.ts';
import { engineFault } from './not-runnable.ts';
import { errno } from './wasi/errno.ts';
import type { Wait } from './wasi/world.ts';

const reasons: Readonly<Record<number, string>> = {
  [errno.acces]: 'a rule refuses it',
  [errno.addrinuse]: 'another program listens there',
  [errno.addrnotavail]: 'the network has no such address',
};

/**
 * Opens the sockets that a guest is given, one after another, into `opened`. Answers 0.
 * @throws NotRunnable 125, also from the Wait's `resume`: the guest must not run without one of them.
 */
export function openListeners(
  net: GuestNet | undefined,
  listeners: readonly GuestListener[],
  opened: GuestSocket[],
): number | Wait {
  if (listeners.length === 0) return 0;
  if (!net) throw engineFault('unsupported', 'sockets cannot be opened for the guest: this run has no network');
  const next = (): number | Wait => {
    const listener = listeners[opened.length];
    if (!listener) return 0;
    const { protocol, port } = listener;
    const socket = net.socket(4, protocol === 'tcp' ? 'stream' : 'dgram');
    opened.push(socket);
    const check = (error: number): void => {
      if (error === 0) return;
      const why = reasons[error] ?? `errno ${error}`;
      throw engineFault('conflict', `cannot listen on ${protocol} port ${port} for the guest: ${why}`);
    };
    return settled(socket.bind({ address: '0.0.0.0', port }), (bound) => {
      check(bound);
      if (protocol === 'udp') return next();
      return settled(socket.listen(BACKLOG), (listening) => {
        check(listening);
        return next();
      });
    });
  };
  return next();
}

/** As many as Linux lets wait by default (SOMAXCONN). */
const BACKLOG = 4096;

function settled(pending: Pending<number>, then: (error: number) => number | Wait): number | Wait {
  let value = pending.poll();
  if (value !== undefined) return then(value);
  const ready = (): boolean => (value ??= pending.poll()) !== undefined;
  const wait: Wait = { ready, resume: () => (ready() ? then(value as number) : wait) };
  return wait;
}
