import { describe, expect, test } from 'vitest';
import type { HostedProcess, Isolation, ProcessHost, RunEnd } from './api.ts';
import type { FromRunner, RunSpec, ToRunner } from './protocol.ts';
import type { PoolOptions } from './pool.ts';
import { SHARED_CAPACITY } from './runner-process.ts';
import { createSupervisor } from './supervisor.ts';

/** Processes that do nothing but remember what they were sent; the tests answer for them. */
class FakeProcess implements HostedProcess {
  readonly pid: number;
  readonly sent: ToRunner[] = [];
  readonly args: readonly string[];
  killed = false;
  #message!: (message: unknown) => void;
  #exit!: (code: number | null, signal: string | null) => void;

  constructor(pid: number, args: readonly string[]) {
    this.pid = pid;
    this.args = args;
  }
  post(message: unknown): void {
    this.sent.push(message as ToRunner);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.#message = listener;
  }
  onExit(listener: (code: number | null, signal: string | null) => void): void {
    this.#exit = listener;
  }
  kill(): void {
    this.killed = true;
  }
  say(message: FromRunner): void {
    this.#message(message);
  }
  exit(code: number | null = null, signal: string | null = 'SIGKILL'): void {
    this.#exit(code, signal);
  }
  get runs(): string[] {
    return this.sent.filter((message) => message.t === 'run').map((message) => message.spec.id);
  }
}

function world(options: PoolOptions = {}) {
  const processes: FakeProcess[] = [];
  const host: ProcessHost = {
    canSuspend: true,
    spawn: (_name, args) => {
      const one = new FakeProcess(1_000_000 + processes.length, args);
      processes.push(one);
      return one;
    },
  };
  const supervisor = createSupervisor(host, { spare: false, ...options });
  const start = (id: string, imageId = 'image', isolation: Isolation = 'process') => {
    const grown: number[] = [];
    const spec: RunSpec = {
      id,
      module: '/m.wasm',
      args: [],
      env: [],
      mounts: [],
      stdin: 'open',
      log: { directory: '/', maxFiles: 1 },
    };
    const run = supervisor.start({ spec, imageId, isolation }, { grown: (offset) => grown.push(offset) });
    return { run, grown };
  };
  return { processes, supervisor, start };
}

const usage = {
  cpuUser: 1,
  cpuSystem: 2,
  memory: 3,
  memoryPeak: 4,
  threads: 1,
  readBytes: 0,
  writtenBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
};
const exit = (id: string, collecting = false): FromRunner => ({
  t: 'exit',
  id,
  outcome: { kind: 'exit', code: 0 },
  offset: 10,
  usage,
  collecting,
});
const at = (processes: FakeProcess[], index: number): FakeProcess => processes[index] as FakeProcess;

test('a run waits for its process, then is sent there', () => {
  const { processes, start } = world();
  const { run } = start('a');
  expect(processes).toHaveLength(1);
  expect(run.pid).toBe(0);
  at(processes, 0).say({ t: 'ready' });
  expect(at(processes, 0).runs).toEqual(['a']);
  expect(run.pid).toBe(at(processes, 0).pid);
});

test('a late message of the last run is not read as the next one’s', async () => {
  const { processes, start } = world();
  start('a');
  const process = at(processes, 0);
  process.say({ t: 'ready' });
  process.say(exit('a'));
  const { run, grown } = start('b');
  expect(process.runs).toEqual(['a', 'b']);
  process.say({ t: 'grown', id: 'a', offset: 99 });
  process.say(exit('a'));
  expect(grown).toEqual([]);
  process.say({ t: 'started', id: 'b', module: '/m.wasm' });
  process.say({ t: 'grown', id: 'b', offset: 5 });
  process.say({ t: 'grown', id: 'b', offset: 4 });
  process.say(exit('b'));
  expect((await run.ended).offset).toBe(10);
  expect(grown).toEqual([5, 10]);
});

describe('choosing a process', () => {
  test('whoever waited for the end gets the same process at once, unless it collects garbage', async () => {
    const { processes, start } = world();
    const a = start('a');
    at(processes, 0).say({ t: 'ready' });
    at(processes, 0).say(exit('a'));
    await a.run.ended;
    start('b');
    expect(at(processes, 0).runs).toEqual(['a', 'b']);
    at(processes, 0).say(exit('b', true));
    start('c');
    // Nothing better is there: it waits for the collection inside of the process.
    expect(at(processes, 0).runs).toEqual(['a', 'b', 'c']);
  });

  test('the blank spare is taken rather than one that collects, and replaced', async () => {
    const { processes, start } = world({ spare: true });
    await expect.poll(() => processes.length).toBe(1);
    at(processes, 0).say({ t: 'ready' });
    start('a');
    await expect.poll(() => processes.length).toBe(2);
    at(processes, 1).say({ t: 'ready' });
    at(processes, 0).say(exit('a', true));
    start('b');
    expect(at(processes, 1).runs).toEqual(['b']);
    at(processes, 0).say({ t: 'idle' });
    start('c');
    expect(at(processes, 0).runs).toEqual(['a', 'c']);
  });

  test('never a process of another image', () => {
    const { processes, start } = world();
    start('a', 'one');
    at(processes, 0).say({ t: 'ready' });
    at(processes, 0).say(exit('a'));
    start('b', 'two');
    expect(at(processes, 0).runs).toEqual(['a']);
    expect(processes).toHaveLength(2);
  });

  test('strict: ended after its run, and never shared', async () => {
    const { processes, start } = world();
    const { run } = start('a', 'image', 'strict');
    at(processes, 0).say({ t: 'ready' });
    at(processes, 0).say(exit('a'));
    await run.ended;
    expect(at(processes, 0).killed).toBe(true);
    start('b');
    expect(at(processes, 0).runs).toEqual(['a']);
  });

  test('a process that was killed but is not gone yet gets no run', () => {
    const { processes, start } = world({ idleLimit: 1 });
    for (const [index, image] of ['one', 'two'].entries()) {
      start(image, image);
      at(processes, index).say({ t: 'ready' });
      at(processes, index).say(exit(image));
    }
    const killed = processes.find((process) => process.killed) as FakeProcess;
    expect(processes.filter((process) => process.killed)).toHaveLength(1);
    const before = killed.runs.length;
    start('again', killed.runs[0] as string);
    expect(killed.runs).toHaveLength(before);
    expect(processes).toHaveLength(3);
  });

  test('only a few start at the same time', () => {
    const { processes, start } = world({ startLimit: 2 });
    for (let i = 0; i < 5; i++) start(String(i));
    expect(processes).toHaveLength(2);
    at(processes, 0).say({ t: 'ready' });
    expect(processes).toHaveLength(3);
    expect(at(processes, 0).runs).toEqual(['0']);
  });

  test('idle processes are ended after a while', async () => {
    const { processes, start } = world({ idleTime: 20 });
    start('a');
    at(processes, 0).say({ t: 'ready' });
    at(processes, 0).say(exit('a'));
    await expect.poll(() => at(processes, 0).killed).toBe(true);
  });
});

describe('when a process goes wrong', () => {
  test('it never gets ready: the run fails with 125', async () => {
    const { processes, start } = world();
    const { run } = start('a');
    at(processes, 0).exit(1, null);
    await expect(run.started).rejects.toMatchObject({ kind: 'unavailable', data: { exitCode: 125 } });
  });

  test('it is gone before the module was started', async () => {
    const { processes, start } = world();
    const { run } = start('a');
    at(processes, 0).say({ t: 'ready' });
    at(processes, 0).exit();
    await expect(run.started).rejects.toThrow(/ended before the module was started \(SIGKILL\)/);
  });

  test('it is gone later: crashed, with the last usage', async () => {
    const { processes, start } = world();
    const { run } = start('a');
    const process = at(processes, 0);
    process.say({ t: 'ready' });
    process.say({ t: 'started', id: 'a', module: '/m.wasm' });
    const asked = run.usage();
    process.say({ t: 'usage', id: 'a', seq: 1, usage });
    expect(await asked).toEqual(usage);
    process.exit(null, 'SIGKILL');
    expect(await run.ended).toEqual<RunEnd>({
      outcome: { kind: 'crashed', code: null, signal: 'SIGKILL' },
      offset: undefined,
      usage,
    });
    await run.writeStdin(Buffer.from('ignored'));
  });

  test('it is deaf to terminate: killed, and reported as asked for', async () => {
    const { processes, start } = world();
    const { run } = start('a');
    const process = at(processes, 0);
    process.say({ t: 'ready' });
    process.say({ t: 'started', id: 'a', module: '/m.wasm' });
    run.terminate();
    expect(process.sent.at(-1)).toEqual({ t: 'terminate', id: 'a' });
    await expect.poll(() => process.killed, { timeout: 10_000 }).toBe(true);
    process.exit();
    expect((await run.ended).outcome).toEqual({ kind: 'terminated' });
  });

  test('it does not answer about usage: the last known is told', async () => {
    const { processes, start } = world();
    const { run } = start('a');
    at(processes, 0).say({ t: 'ready' });
    expect(await run.usage()).toMatchObject({ cpuUser: 0 });
  });
});

describe('shared', () => {
  test('runs of any image go to one process, those beyond its capacity to another', () => {
    const { processes, start } = world();
    for (let i = 0; i < SHARED_CAPACITY + 1; i++) start(String(i), `image ${i}`, 'shared');
    expect(processes).toHaveLength(2);
    at(processes, 0).say({ t: 'ready' });
    at(processes, 1).say({ t: 'ready' });
    expect(processes.map(({ runs }) => runs.length)).toEqual([SHARED_CAPACITY, 1]);
    at(processes, 0).say(exit('0'));
    start('next', 'image', 'shared');
    expect(at(processes, 0).runs.at(-1)).toBe('next');
    start('own');
    expect(processes).toHaveLength(3);
    expect(processes.map(({ args }) => args)).toEqual([['--shared'], ['--shared'], []]);
  });

  test('the end of one leaves the others; the process is ended once it is idle', async () => {
    const { processes, start } = world({ idleTime: 20 });
    const runs = [start('a', 'image', 'shared'), start('b', 'image', 'shared')];
    const process = at(processes, 0);
    process.say({ t: 'ready' });
    for (const id of ['a', 'b']) process.say({ t: 'started', id, module: '/m.wasm' });
    process.say(exit('a'));
    expect((await runs[0]?.run.ended)?.outcome).toEqual({ kind: 'exit', code: 0 });
    process.say({ t: 'grown', id: 'b', offset: 7 });
    expect(runs[1]?.grown).toEqual([7]);
    expect(process.killed).toBe(false);
    process.say(exit('b'));
    await expect.poll(() => process.killed).toBe(true);
    start('c', 'image', 'shared');
    expect(process.runs).toEqual(['a', 'b']);
  });

  test('one that is deaf takes the process with it: the others have crashed', async () => {
    const { processes, start } = world();
    const [a, b] = [start('a', 'image', 'shared'), start('b', 'image', 'shared')];
    const process = at(processes, 0);
    process.say({ t: 'ready' });
    for (const id of ['a', 'b']) process.say({ t: 'started', id, module: '/m.wasm' });
    a.run.terminate();
    await expect.poll(() => process.killed, { timeout: 10_000 }).toBe(true);
    // No run for a process that will be gone, nor for one that has not answered for a while.
    start('c', 'image', 'shared');
    expect(process.runs).toEqual(['a', 'b']);
    process.exit(null, 'SIGKILL');
    expect(await a.run.ended).toMatchObject({ outcome: { kind: 'terminated' }, hogged: true });
    expect((await b.run.ended).outcome).toEqual({ kind: 'crashed', code: null, signal: 'SIGKILL' });
    expect(await b.run.ended).not.toHaveProperty('hogged');
  });

  test('a guest that computed too long is told of at its end', async () => {
    const { processes, start } = world();
    const { run } = start('a', 'image', 'shared');
    const process = at(processes, 0);
    process.say({ t: 'ready' });
    process.say({ t: 'started', id: 'a', module: '/m.wasm' });
    process.say({ t: 'hogged', id: 'a' });
    process.say(exit('a'));
    expect((await run.ended).hogged).toBe(true);
  });

  test('cannot be paused', () => {
    const { processes, start } = world();
    const { run } = start('a', 'image', 'shared');
    at(processes, 0).say({ t: 'ready' });
    expect(() => run.pause()).toThrow(/isolation "shared" cannot be paused/);
  });
});

test('stdin: never more than the window is on its way, in order', async () => {
  const { processes, start } = world();
  const { run } = start('a');
  const all = Buffer.alloc(3 << 20);
  for (let i = 0; i < all.length; i += 4096) all.writeUInt32LE(i, i);
  let done = false;
  void run.writeStdin(all).then(() => (done = true));
  run.endStdin();
  const process = at(processes, 0);
  process.say({ t: 'ready' });
  let acknowledged = 0;
  const received = () => process.sent.filter((message) => message.t === 'stdin').map((message) => message.bytes);
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    const total = received().reduce((sum, bytes) => sum + bytes.length, 0);
    expect(total - acknowledged).toBeLessThanOrEqual(1 << 20);
    process.say({ t: 'stdinAck', id: 'a', bytes: Math.min(100_000, total - acknowledged) });
    acknowledged += Math.min(100_000, total - acknowledged);
  }
  await expect.poll(() => process.sent.at(-1)?.t).toBe('eof');
  expect(Buffer.concat(received()).equals(all)).toBe(true);
});
