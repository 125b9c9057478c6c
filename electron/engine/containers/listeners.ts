/** Sockets that a container's program is given, for those that speak only the standard calls (sock_accept, sock_recv, sock_send, sock_shutdown). */
import { invalid } from '../../base/errors.ts';
import type { GuestListener } from '../../supervisor/protocol.ts';
import { mergeEnv } from './config.ts';

/** "tcp:8080,udp:53": each is a descriptor, from 4 on (after `drydock.wasi.preopens`), that listens before the program starts. */
export const listenLabel = 'drydock.listen';

/** More than any program has; it bounds what a start waits for. */
const most = 64;

/** @throws invalid */
export function listenersOf(labels: Readonly<Record<string, string>>): readonly GuestListener[] {
  const text = labels[listenLabel];
  if (text === undefined || text.trim() === '') return [];
  const listeners = text.split(',').map((part) => parse(part.trim()));
  const keys = new Set(listeners.map(({ protocol, port }) => `${protocol}:${port}`));
  if (keys.size < listeners.length) throw wrong(text, 'the same port twice');
  if (listeners.length > most) throw wrong(text, `more than ${most} sockets`);
  return listeners;
}

function parse(part: string): GuestListener {
  const [, protocol, digits = ''] = /^(tcp|udp):(\d{1,5})$/.exec(part) ?? [];
  const port = Number(digits);
  if (protocol === undefined || port < 1 || port > 65_535) throw wrong(part, 'not a protocol and a port');
  return { protocol: protocol as GuestListener['protocol'], port };
}

const wrong = (text: string, why: string) =>
  invalid(`invalid label ${listenLabel}: ${JSON.stringify(text)}: ${why}`, {
    hint: 'Write tcp:8080 or udp:53, several separated by commas.',
    data: { label: listenLabel },
  });

/** The number of sockets, as systemd and wasmtime tell it. */
export const withListeners = (env: readonly string[], listeners: readonly GuestListener[]): readonly string[] =>
  listeners.length > 0 ? mergeEnv(env, [`LISTEN_FDS=${listeners.length}`]) : env;
