import { EventEmitter } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { openParentPort } from './parent-port.ts';

const host = process as unknown as { parentPort?: unknown };
afterEach(() => delete host.parentPort);

test('in an Electron utility process, messages come wrapped in an event', () => {
  const port = Object.assign(new EventEmitter(), {
    sent: [] as unknown[],
    postMessage: (message: unknown) => port.sent.push(message),
  });
  host.parentPort = port;
  const parent = openParentPort();
  const received: unknown[] = [];
  parent.onMessage((message) => received.push(message));
  port.emit('message', { data: { t: 'ping', seq: 1 }, ports: [] });
  parent.post({ t: 'pong', seq: 1 });
  expect(received).toEqual([{ t: 'ping', seq: 1 }]);
  expect(port.sent).toEqual([{ t: 'pong', seq: 1 }]);
});
