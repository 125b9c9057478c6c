import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Quit } from './quit.ts';

/** Electron's order: before-quit may be prevented, and quit() asks again. */
class App extends EventEmitter {
  readonly ended = Promise.withResolvers<number>();
  asked = 0;
  quit = (): void => {
    this.asked++;
    let prevented = false;
    this.emit('before-quit', { preventDefault: () => (prevented = true) });
    if (!prevented) this.ended.resolve(0);
  };
  exit = (code?: number): void => this.ended.resolve(code ?? 0);
}

function setUp(limit = 10_000) {
  const app = new App();
  const log: string[] = [];
  let begun = 0;
  const quit = new Quit({ app: app as never, limit, onBegin: () => begun++, log: (line) => log.push(line) });
  return { app, log, quit, begun: () => begun };
}

test('closes in reverse, once, then quits', async () => {
  const { app, quit, begun } = setUp();
  const closed: string[] = [];
  await quit.add(() => void closed.push('engine'));
  await quit.add(async () => void closed.push(await Promise.resolve('socket')));
  expect(quit.begun).toBe(false);
  app.quit();
  app.quit();
  expect(quit.begun).toBe(true);
  expect(await app.ended.promise).toBe(0);
  expect([closed, begun()]).toEqual([['socket', 'engine'], 1]);
});

test('one that fails does not keep the others open', async () => {
  const { app, quit, log } = setUp();
  const closed: string[] = [];
  await quit.add(() => void closed.push('engine'));
  await quit.add(() => Promise.reject(new Error('socket busy')));
  app.quit();
  await app.ended.promise;
  expect([closed, log]).toEqual([['engine'], ['closing: socket busy']]);
});

test('one that hangs is not waited for beyond the limit', async () => {
  const { app, quit, log } = setUp(20);
  await quit.add(() => new Promise(() => undefined));
  app.quit();
  expect(await app.ended.promise).toBe(0);
  expect(log[0]).toMatch(/longer than 0.02 s/);
});

test('what opens after the end has begun is closed at once', async () => {
  const { app, quit } = setUp();
  app.quit();
  let closed = false;
  await quit.add(() => void (closed = true));
  expect(closed).toBe(true);
});

test('a failed start ends with 1', async () => {
  const { app, quit } = setUp();
  await quit.fail();
  expect(await app.ended.promise).toBe(1);
});
