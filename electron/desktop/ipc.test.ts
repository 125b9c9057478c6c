import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { serveIpc, type IpcParts } from './ipc.ts';

function setUp() {
  const events = new EventEmitter();
  const handlers = new Map<string, (event: unknown, ...args: unknown[]) => unknown>();
  const log: string[] = [];
  const calls: unknown[] = [];
  const served: string[] = [];
  const doors = Promise.withResolvers<Awaited<IpcParts['doors']>>();
  serveIpc({
    ipcMain: {
      on: (channel: string, listener: () => void) => events.on(channel, listener),
      handle: (channel: string, handler: () => unknown) => void handlers.set(channel, handler),
    } as unknown as IpcParts['ipcMain'],
    makeChannel: () => ({ port1: 'ours', port2: 'theirs' }) as never,
    doors: doors.promise,
    hello: () => calls.push('hello'),
    chooseFiles: () => Promise.resolve(['/a.wasm']),
    openExternal: (url) => calls.push(url),
    log: (line) => log.push(line),
  });
  const posted: unknown[] = [];
  const eventFrom = (url: string | null, destroyed = false) => ({
    senderFrame: url === null ? null : { url },
    sender: { isDestroyed: () => destroyed, postMessage: (...args: unknown[]) => posted.push(args) },
  });
  const open = () =>
    doors.resolve({
      rpc: (port) => served.push(`rpc ${String(port)}`),
      channel: (port) => served.push(`channel ${String(port)}`),
    });
  return { events, handlers, log, calls, served, posted, eventFrom, open };
}
const own = 'drydock://app/index.html';

test('a port that is asked for before the engine is open waits for it', async () => {
  const { events, eventFrom, posted, served, open } = setUp();
  events.emit('drydock:port', eventFrom(own), 'rpc', 'rpc-1');
  await turn();
  expect(posted).toEqual([]);
  open();
  await turn();
  events.emit('drydock:port', eventFrom(own), 'channel', 'channel-2');
  await turn();
  expect(served).toEqual(['rpc ours', 'channel ours']);
  expect(posted).toEqual([
    ['drydock:port', 'rpc-1', ['theirs']],
    ['drydock:port', 'channel-2', ['theirs']],
  ]);
});

test.each([['https://evil.example/'], ['drydock://evil/'], ['file:///x.html'], [null]])(
  '%s is refused everything',
  async (url) => {
    const { events, handlers, eventFrom, posted, served, open, calls, log } = setUp();
    open();
    events.emit('drydock:port', eventFrom(url), 'rpc', 'k');
    events.emit('drydock:hello', eventFrom(url));
    events.emit('drydock:open-external', eventFrom(url), 'https://example.org');
    expect(() => handlers.get('drydock:choose-files')?.(eventFrom(url))).toThrow(/may not open files/);
    await turn();
    expect([posted, served, calls]).toEqual([[], [], []]);
    expect(log).toHaveLength(4);
  },
);

test('nonsense from our own page does no harm', async () => {
  const { events, eventFrom, posted, open, calls } = setUp();
  open();
  for (const args of [['other', 'k'], ['rpc', 7], ['rpc', 'k'.repeat(65)], [], ['constructor', 'k']])
    events.emit('drydock:port', eventFrom(own), ...args);
  events.emit('drydock:open-external', eventFrom(own), { toString: () => 'https://x' });
  events.emit('drydock:port', eventFrom(own, true), 'rpc', 'gone');
  await turn();
  expect([posted, calls]).toEqual([[], []]);
});

test('the page itself is answered', async () => {
  const { events, handlers, eventFrom, calls } = setUp();
  events.emit('drydock:hello', eventFrom(own));
  events.emit('drydock:open-external', eventFrom(own), 'https://example.org');
  expect(calls).toEqual(['hello', 'https://example.org']);
  expect(await handlers.get('drydock:choose-files')?.(eventFrom(own))).toEqual(['/a.wasm']);
});
