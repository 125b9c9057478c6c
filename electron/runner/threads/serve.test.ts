import { Worker } from 'node:worker_threads';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBridge, wake } from '../bridge/layout.ts';
import type { HostFunction, Wait } from '../wasi/world.ts';
import { Answerer, createCalls } from './calls.ts';
import { serve } from './serve.ts';

/** A thread that makes calls from its slot: a list of [function, arguments], whose answers it posts. */
const caller = `
const { parentPort, workerData } = require('node:worker_threads');
const { shared, bridge, slot, calls, path } = workerData;
import(path).then(({ Caller }) => {
  const one = new Caller(shared, slot, new Int32Array(bridge, 0, 32));
  for (const [index, args] of calls) {
    let answer;
    try { answer = one.call(index, args); } catch (error) { answer = error.message; }
    parentPort.postMessage(answer);
  }
});`;

type Call = readonly [index: number, args: readonly (number | bigint)[]];

/** Ends the serving after a while, which blocks the thread that could time out. */
const guard = `
const { header, bridge, over } = require('node:worker_threads').workerData;
if (Atomics.wait(new Int32Array(over), 0, 0, 30000) === 'timed-out') {
  Atomics.store(new Int32Array(header, 0, 1), 0, 1);
  Atomics.add(new Int32Array(bridge, 0, 1), 0, 1);
  Atomics.notify(new Int32Array(bridge, 0, 1), 0);
}`;

/** Serves `functions` in this very thread while a worker for each list makes its calls; the last function ends it. Returns all answers. */
async function answers(
  functions: Record<string, readonly [params: readonly string[], call: (...args: never[]) => unknown]>,
  ...lists: Call[][]
): Promise<unknown[][]> {
  const bridge = openBridge();
  const shared = createCalls();
  const answerer = new Answerer(shared);
  const served = Object.values(functions).map(([params, call]) => ({ params, call: call as HostFunction }));
  let over = 0;
  const last = served.length;
  served.push({
    params: [],
    call: () => {
      if (++over === lists.length) answerer.beginEnd(bridge.words);
      return 0;
    },
  });
  const workers = lists.map((list, slot) => {
    const calls = [...list, [last, []]];
    const path = join(import.meta.dirname, 'calls.ts');
    return new Worker(caller, { eval: true, workerData: { shared, bridge: bridge.shared, slot, calls, path } });
  });
  // The workers compile before they can call, and this thread has to be free until then for their messages: only `serve` blocks it.
  const said = workers.map((worker) => {
    const heard: unknown[] = [];
    worker.on('message', (answer) => heard.push(answer));
    return new Promise<unknown[]>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve(heard.slice(0, -1)));
    });
  });
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
  const overs = new Int32Array(new SharedArrayBuffer(4));
  const watchdog = new Worker(guard, {
    eval: true,
    workerData: { header: shared, bridge: bridge.shared, over: overs.buffer },
  });
  serve(answerer, served, bridge.words);
  Atomics.store(overs, 0, 1);
  Atomics.notify(overs, 0);
  if (over < lists.length) for (const worker of [...workers, watchdog]) void worker.terminate();
  expect(over).toBe(lists.length);
  return Promise.all(said);
}

describe('host calls of threads', () => {
  test('carry i32, i64 and floats, and bring back a number or nothing', async () => {
    const seen: unknown[][] = [];
    const note = (...args: never[]) => void seen.push(args);
    const [heard] = await answers(
      {
        note: [['i32', 'i64', 'f64', 'i64'], note],
        double: [['i32'], (value: never) => value * 2],
        none: [[], (...args: never[]) => args.length],
      },
      [
        [0, [-1, -(2n ** 63n), 1.5, 2n ** 63n - 1n]],
        [1, [-7]],
        [1, [2 ** 30]],
        [2, []],
      ],
    );
    expect(seen).toEqual([[-1, -(2n ** 63n), 1.5, 2n ** 63n - 1n]]);
    expect(heard).toEqual([undefined, -14, 2 ** 31, 0]);
  });

  test('that fail in the host throw its words in the thread, cut to what a slot holds', async () => {
    const [heard] = await answers(
      {
        fail: [
          [],
          () => {
            throw new Error('out of order');
          },
        ],
        long: [
          [],
          () => {
            throw new Error('x'.repeat(1000));
          },
        ],
      },
      [
        [0, []],
        [1, []],
        [77, []],
      ],
    );
    expect(heard).toEqual(['out of order', 'x'.repeat(128), 'no such host function']);
  });

  test('that wait are answered when their time comes, others meanwhile', async () => {
    let open = false;
    const order: string[] = [];
    const wait = (name: string): Wait => ({
      ready: () => open,
      resume: () => {
        order.push(name);
        return 5;
      },
    });
    const [first, second] = await answers(
      {
        wait: [[], () => wait('waited')],
        open: [
          [],
          () => {
            order.push('opened');
            open = true;
            return 6;
          },
        ],
      },
      [[0, []]],
      [[1, []]],
    );
    expect(first).toEqual([5]);
    expect(second).toEqual([6]);
    expect(order).toEqual(['opened', 'waited']);
  });

  test('that are ready as soon as they wait are answered', async () => {
    const [heard] = await answers({ wait: [[], (): Wait => ({ ready: () => true, resume: () => 3 })] }, [[0, []]]);
    expect(heard).toEqual([3]);
  });

  test('that wait go on at their deadline, and may wait again', async () => {
    let resumed = 0;
    const [heard] = await answers(
      {
        nap: [
          ['i32'],
          () => {
            const wait = (): Wait => ({
              ready: () => false,
              deadline: process.hrtime.bigint() + 5_000_000n,
              resume: () => (++resumed < 3 ? wait() : 9),
            });
            return wait();
          },
        ],
      },
      [[0, [1]]],
    );
    expect(heard).toEqual([9]);
    expect(resumed).toBe(3);
  });

  test('of many threads at once are all answered', async () => {
    let sum = 0;
    const lists = Array.from({ length: 8 }, () => Array.from({ length: 200 }, (): Call => [0, [1]]));
    const heard = await answers({ add: [['i32'], (value: never) => (sum += value)] }, ...lists);
    expect(sum).toBe(1600);
    expect(heard.flat().toSorted((a, b) => (a as number) - (b as number))).toEqual(
      Array.from({ length: 1600 }, (_, index) => index + 1),
    );
  });
});

test('nothing is answered once the run ends', () => {
  const bridge = openBridge();
  const shared = createCalls();
  const answerer = new Answerer(shared);
  answerer.beginEnd(bridge.words);
  const called: number[] = [];
  serve(answerer, [{ params: [], call: () => called.push(1) }], bridge.words);
  expect(called).toEqual([]);
  wake(bridge.words);
  answerer.end();
  // Returns at once.
  answerer.waitForEnd();
});
