import { openMountTable, type MountTable } from '../../fs/mount-table.ts';
import type { FromRunner, NetAnswer, RunOutcome, RunSpec, RunUsage } from '../../supervisor/protocol.ts';
import type { Ending } from '../host-calls.ts';
import { type LinkedGuest, linkGuest } from '../link-guest.ts';
import { Asker } from '../net/asker.ts';
import { NetStack } from '../net/stack.ts';
import { openListeners } from '../listeners.ts';
import type { GuestSocket } from '../net/guest-net.ts';
import { engineFault, NotRunnable } from '../not-runnable.ts';
import type { Programs } from '../program.ts';
import { readingOf } from '../trace/answer.ts';
import { TraceRing } from '../trace/trace-ring.ts';
import { LineDiscipline } from '../tty.ts';
import type { GuestWorld } from '../wasi/world.ts';
import { SharedInput } from './input.ts';
import type { Jspi } from './jspi.ts';
import { SharedOutput } from './output.ts';
import { Sleeper } from './sleeper.ts';
import { Slices } from './slices.ts';

/** As a kernel's buffer: with a terminal nobody waits for acknowledgements. */
const TTY_INPUT_LIMIT = 1 << 16;

type Post = (message: FromRunner) => void;

/** One run among the others of a shared process, from 'run' to 'exit' or 'failed'. */
export class SharedRun {
  readonly spec: RunSpec;
  readonly #post: Post;
  readonly #jspi: Jspi;
  readonly #input: SharedInput;
  readonly #output: SharedOutput;
  readonly #tty: LineDiscipline | undefined;
  readonly #slices: Slices;
  readonly #sleeper: Sleeper;
  readonly #ending: Ending = { reason: undefined };
  readonly #asker: Asker;
  readonly #net: NetStack;
  #guest: LinkedGuest | undefined;
  /** Exit code to report instead of 'terminated': the terminal's ^C and ^\. */
  #interrupted: number | undefined;
  #memory = 0;
  #memoryPeak = 0;
  #read = 0;
  #written = 0;

  /** Opens the log. @throws the file system's error */
  constructor(spec: RunSpec, jspi: Jspi, post: Post) {
    const { id } = spec;
    this.spec = spec;
    this.#jspi = jspi;
    if (spec.trace !== undefined) {
      this.trace = new TraceRing();
      this.trace.on = spec.trace === 'on';
    }
    this.#post = post;
    this.#slices = new Slices(() => post({ t: 'hogged', id }));
    this.#sleeper = new Sleeper(jspi, this.#slices, this.#ending);
    this.#output = new SharedOutput(spec, post, () => this.#sleeper.poke());
    this.#input = new SharedInput((bytes) => {
      if (!spec.tty) post({ t: 'stdinAck', id, bytes });
    });
    this.#asker = new Asker((seq, ask) => post({ t: 'netAsk', id, seq, ask }));
    this.#net = new NetStack({ spec: spec.net, ask: this.#asker.ask, changed: () => this.#sleeper.poke() });
    if (spec.stdin === 'closed') this.#input.end();
    if (spec.tty)
      this.#tty = new LineDiscipline({
        echo: (bytes) => this.#output.say(0, bytes),
        input: (line) => {
          if (this.#input.available() + line.length > TTY_INPUT_LIMIT) this.#output.say(0, Buffer.from('\x07'));
          else this.#input.push(line);
        },
        eof: () => this.#input.mark(),
        interrupt: (exitCode) => {
          this.#interrupted = exitCode;
          this.terminate();
        },
      });
  }

  /** Of a traced run. */
  readonly trace: TraceRing | undefined;

  /** Runs the guest. Resolves when it is over and the engine was told; to the bytes of memory it leaves as garbage. */
  async run(programs: Programs): Promise<number> {
    const { id } = this.spec;
    let outcome: RunOutcome;
    try {
      outcome = await this.#life(programs);
    } catch (error) {
      await this.#closeNet(false);
      this.#output.close();
      const known = error instanceof NotRunnable;
      this.#post({
        t: 'failed',
        id,
        kind: known ? error.kind : 'internal',
        message: known ? error.message : `the runner failed: ${(error as Error).stack ?? String(error)}`,
        exitCode: known ? error.exitCode : 125,
        collecting: false,
      });
      return this.#memoryPeak;
    }
    if (outcome.kind === 'terminated' && this.#interrupted !== undefined)
      outcome = { kind: 'exit', code: this.#interrupted };
    await this.#closeNet(outcome.kind !== 'terminated');
    if (outcome.kind === 'trap') this.#output.say(1, Buffer.from(outcome.stack));
    const usage = this.usage();
    const offset = await this.#output.finish();
    const trace = readingOf(this.trace);
    this.#post({ t: 'exit', id, outcome, offset, usage, collecting: false, ...(trace ? { trace } : {}) });
    return this.#memoryPeak;
  }

  stdin(bytes: Uint8Array): void {
    if (this.#tty) {
      this.#tty.feed(bytes);
      this.#post({ t: 'stdinAck', id: this.spec.id, bytes: bytes.length });
    } else this.#input.push(bytes);
    this.#sleeper.poke();
  }

  eof(): void {
    this.#input.end();
    this.#sleeper.poke();
  }

  terminate(): void {
    this.#sleeper.kill();
  }

  netAnswer(seq: number, answer: NetAnswer): void {
    this.#asker.answer(seq, answer);
  }

  usage(): RunUsage {
    this.#guest?.noteMemory();
    const { user, system } = this.#slices.total;
    return {
      cpuUser: user,
      cpuSystem: system,
      memory: this.#memory,
      memoryPeak: this.#memoryPeak,
      threads: 1,
      readBytes: this.#read,
      writtenBytes: this.#written,
      receivedBytes: this.#net.received,
      sentBytes: this.#net.sent,
    };
  }

  async #closeNet(graceful: boolean): Promise<void> {
    await this.#net.close(graceful);
    this.#asker.close();
  }

  async #life(programs: Programs): Promise<RunOutcome> {
    let mounts: MountTable;
    try {
      mounts = openMountTable(this.spec.mounts);
    } catch (error) {
      throw engineFault('internal', `cannot open the file system: ${(error as Error).message}`);
    }
    try {
      const found = programs.find(mounts, this.spec.module, this.spec.env, this.spec.memoryLimit !== undefined);
      const ports = await this.#net.openPorts();
      const started = (): void =>
        this.#post({ t: 'started', id: this.spec.id, module: found.path, ...(ports.length > 0 ? { ports } : {}) });
      const world: GuestWorld & { readonly sockets: GuestSocket[] } = { ...this.#world(mounts), sockets: [] };
      try {
        await this.#sleeper.settle(openListeners(world.net, this.spec.listeners ?? [], world.sockets));
      } catch (error) {
        if (!this.#ending.reason) throw error;
        started();
        return { kind: 'terminated' };
      }
      const guest = linkGuest(found, this.spec, world, this.#ending, (host) => this.#sleeper.waiting(host));
      return await this.#execute(guest, started);
    } finally {
      mounts.close();
    }
  }

  async #execute(guest: LinkedGuest, started: () => void): Promise<RunOutcome> {
    this.#guest = guest;
    if (guest.runsAtOnce) started();
    this.#slices.enter();
    try {
      const entries = guest.instantiate();
      if (!guest.runsAtOnce) started();
      this.#sleeper.canSleep = true;
      for (const entry of entries) await this.#jspi.promising(entry)();
      return { kind: 'exit', code: 0 };
    } catch (error) {
      if (error instanceof NotRunnable) throw error;
      return guest.outcomeOf(error);
    } finally {
      this.#slices.leave();
      this.#guest = undefined;
      guest.dispose();
    }
  }

  #world(mounts: MountTable): GuestWorld {
    const { args, env, tty, preopens, descriptorLimit } = this.spec;
    return {
      args,
      env,
      mounts,
      preopens,
      descriptorLimit,
      stdin: this.#input,
      stdout: this.#output.stream(0),
      stderr: this.#output.stream(1),
      tty: tty !== undefined,
      net: this.#net,
      trace: this.trace,
      noteMemory: (bytes) => {
        this.#memory = bytes;
        if (bytes > this.#memoryPeak) this.#memoryPeak = bytes;
      },
      noteIo: (read, written) => {
        this.#read += read;
        this.#written += written;
      },
    };
  }
}
