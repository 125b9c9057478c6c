/** For tests only: one guest that calls host functions at random and looks after each call whether the walls still stand. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Scratch, SECRET } from '../../fs/testing.ts';
import { TraceRing } from '../trace/trace-ring.ts';
import { traced } from '../trace/traced.ts';
import { argumentsFor, Dice, meanings } from './fuzzing.ts';
import { BLOCKING_IMPORTS, createPreview1, type Preview1 } from './preview1.ts';
import { FakeNet } from './net-testing.ts';
import { FakeInput, FakeOutput } from './testing.ts';
import { createUnstable } from './unstable.ts';
import { type GuestWorld, type HostFunction, ProcExit, type Wait } from './world.ts';

/** As links lie in images and volumes; all but one lead to what no guest may reach. */
const links = { up: '->../secret', folder: '->..', magic: '->/proc/self/root', dangling: '->../made', loop: '->loop' };
/** The highest errno: those of sock_getaddrinfo end at 87. */
const LAST_ERRNO = 87;

/** Something that a host function must never do. */
export class Broken extends Error {}

export class FuzzGuest {
  readonly #dice: Dice;
  readonly #scratch: Scratch;
  readonly #stdin = new FakeInput();
  readonly #stdout = new FakeOutput();
  readonly #preview1: Preview1;
  readonly #functions: readonly (readonly [string, HostFunction])[];
  readonly #opening: readonly (readonly [string, HostFunction])[];
  readonly #opened: number[] = [];
  readonly #sockets: number[] = [];
  readonly #net = new FakeNet();
  /** Some guests are traced: what is written down of a call must not break on it either. */
  readonly #trace: TraceRing | undefined;
  readonly #outside: string;
  readonly memory: WebAssembly.Memory;
  calls = 0;
  /** How many calls answered 0. */
  succeeded = 0;

  constructor(seed: number, world: Partial<GuestWorld> = {}) {
    this.#dice = new Dice(seed);
    if (this.#dice.chance(1, 3)) {
      this.#trace = new TraceRing();
      this.#trace.on = true;
    }
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: 8 });
    this.#scratch = new Scratch(true, {
      lower: { ...links, a: 'the image', 'd/e/f': 'deep', one: '1', 'mnt/': '', 'ro/': '', 'tmp/': '' },
      shared: { ...links, x: 'shared', 'sub/z': 'z' },
    });
    spawnSync('mkfifo', [join(this.#scratch.shared, 'pipe')]);
    this.#outside = this.#listing();
    const mounts = this.#scratch.table([
      this.#scratch.bind('/mnt'),
      this.#scratch.bind('/ro', true),
      { type: 'tmpfs', target: '/tmp', size: 1 << 20, readOnly: false },
    ]);
    this.#stdin.give('some input');
    this.#preview1 = createPreview1({
      args: ['fuzz', 'ü', ''],
      env: ['A=1'],
      mounts,
      stdin: this.#stdin,
      stdout: this.#stdout,
      stderr: this.#stdout,
      tty: this.#dice.chance(1, 2),
      net: this.#net,
      descriptorLimit: 64,
      noteMemory: () => {},
      noteIo: () => {},
      ...world,
    });
    this.#preview1.bindMemory(this.memory);
    const imports = this.#dice.chance(1, 4) ? createUnstable(this.#preview1) : this.#preview1.imports;
    const trace = this.#trace;
    this.#functions = Object.keys(meanings).flatMap((key) => {
      const [name, count] = key.split('/') as [string, string | undefined];
      const host =
        count === undefined
          ? imports[name]
          : this.#preview1.find(
              name,
              Array.from({ length: Number(count) }, () => 'i32'),
            );
      // wasi_unstable has no sock_accept.
      if (!host) return [];
      const { memory } = this.#preview1.host;
      return [[key, trace ? traced(host, name, Number(count ?? host.length), memory, trace) : host] as const];
    });
    this.#opening = this.#functions.filter(([name]) => name === 'path_open' || name === 'sock_open');
  }

  /** @throws Broken with the call, when a wall fell */
  run(calls: number): void {
    for (let index = 0; index < calls; index++) this.#step();
    this.#look('the end');
    for (const line of this.#trace?.read().text.split('\n').slice(0, -1) ?? []) JSON.parse(line);
    const outside = this.#listing();
    if (outside !== this.#outside) throw new Broken(`outside of the mounts: ${this.#outside} became ${outside}`);
  }

  [Symbol.dispose](): void {
    this.#preview1.dispose();
    this.#scratch[Symbol.dispose]();
  }

  #step(): void {
    const dice = this.#dice;
    const { buffer } = this.memory;
    const ground = {
      bytes: Buffer.from(buffer),
      view: new DataView(buffer),
      opened: this.#opened,
      sockets: this.#sockets,
    };
    if (dice.chance(1, 300)) ground.bytes.fill(dice.pick([0, 0xff, 0x7f]));
    if (dice.chance(1, 20)) this.#stdin.give('more');
    this.#stdout.room = dice.chance(1, 20) ? 0 : 100_000;
    this.#stdout.records.length = 0;
    this.#net.held = dice.chance(1, 10);
    const [name, host] = dice.pick(dice.chance(1, 12) ? this.#opening : this.#functions);
    const args = argumentsFor(name, dice, ground);
    const what = `${name}(${args.join(', ')})`;
    const started = performance.now();
    this.calls += 1;
    const before = this.succeeded;
    this.#judge(what, name, () => (host as (...args: (number | bigint)[]) => number | Wait)(...args));
    if (this.succeeded > before) this.#noteDescriptor(name, args);
    const took = performance.now() - started;
    if (took > 20_000) throw new Broken(`${what} took ${took} ms`);
    if (this.calls % 64 === 0) this.#look(what);
  }

  #noteDescriptor(name: string, args: readonly (number | bigint)[]): void {
    const list = name === 'path_open' ? this.#opened : /^sock_(open|accept)/.test(name) ? this.#sockets : undefined;
    if (!list) return;
    list.push(new DataView(this.memory.buffer).getUint32(Number(args.at(-1)) >>> 0, true));
    if (list.length > 16) list.splice(this.#dice.below(16), 1);
  }

  /** Checks an answer, and goes on with waits as a driver does: sometimes after a change, sometimes for nothing. */
  #judge(what: string, name: string, call: () => number | void | Wait): void {
    for (let turns = 0; turns < 4; turns++) {
      let answer: number | void | Wait;
      try {
        answer = call();
      } catch (error) {
        if (error instanceof ProcExit) return;
        throw new Broken(`${what} threw ${(error as Error).stack ?? String(error)}`, { cause: error });
      }
      if (answer === undefined || typeof answer === 'number') {
        if (answer !== undefined && (!Number.isInteger(answer) || answer < 0 || answer > LAST_ERRNO))
          throw new Broken(`${what} answered ${answer}`);
        if (answer === 0) this.succeeded += 1;
        return;
      }
      if (!BLOCKING_IMPORTS.has(name.replace(/\/.*/, ''))) throw new Broken(`${what} waits`);
      this.#meanwhile();
      const wait = answer;
      if (typeof wait.ready() !== 'boolean') throw new Broken(`${what} does not know whether it is ready`);
      call = () => wait.resume();
    }
  }

  #meanwhile(): void {
    const dice = this.#dice;
    if (dice.chance(1, 4)) this.#stdin.give('late');
    if (dice.chance(1, 2)) this.#net.held = false;
    if (dice.chance(1, 4)) this.#stdout.room = 1000;
    if (dice.chance(1, 8) && this.memory.buffer.byteLength < 8 * 65_536) this.memory.grow(1);
    if (dice.chance(1, 8)) Buffer.from(this.memory.buffer).fill(0xff);
  }

  /** The secret lies outside of every mount: it must not have come into the guest's memory. */
  #look(what: string): void {
    if (Buffer.from(this.memory.buffer).includes(SECRET))
      throw new Broken(`the secret was read, at the latest by ${what}`);
  }

  #listing(): string {
    return readdirSync(this.#scratch.path).sort().join(' ');
  }
}

/** Runs guests from a seed on until `enough` says so. @throws Broken that names the seed */
export function fuzz(
  seed: number,
  callsEach: number,
  enough: (calls: number) => boolean,
): { calls: number; succeeded: number } {
  let calls = 0;
  let succeeded = 0;
  for (let current = seed; !enough(calls); current++) {
    using guest = new FuzzGuest(current);
    try {
      guest.run(callsEach);
    } catch (error) {
      throw new Broken(`seed ${current}, call ${guest.calls}: ${(error as Error).message}`, { cause: error });
    }
    calls += guest.calls;
    succeeded += guest.succeeded;
  }
  return { calls, succeeded };
}
