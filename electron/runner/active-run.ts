import type { FromRunner, NetAnswer, RunOutcome, RunSpec, RunUsage } from '../supervisor/protocol.ts';
import { Announcer } from './announcer.ts';
import { InputWriter } from './bridge/input-ring.ts';
import { type Bridge, gauge, resetBridge, wake, word } from './bridge/layout.ts';
import { OutputReader } from './bridge/output-ring.ts';
import { LogWriter } from './log-writer.ts';
import { Asker } from './net/asker.ts';
import { openChannel } from './net/remote/channel.ts';
import { NetServer } from './net/remote/server.ts';
import { NetStack } from './net/stack.ts';
import { readingOf } from './trace/answer.ts';
import type { TraceRing } from './trace/trace-ring.ts';
import { LineDiscipline, newlinesToCrlf } from './tty.ts';

/** Ring bytes of one batch, and batches of one turn: an endless writer must not keep the control thread from hearing "terminate". */
const BATCH = 1 << 18;
const ROUNDS = 2;
/** Milliseconds between attempts to write to a full disk, and how long an ended run goes on trying. */
const RETRY_INTERVAL = 100;
const RETRY_AT_END = 2000;
/** With a terminal nobody waits for acknowledgements, so what the guest does not read is bounded here, as in a kernel's buffer. */
const TTY_INPUT_LIMIT = 1 << 16;

/** The control thread's side of one run: output ring → log, stdin → input ring, terminal, usage. Lives from 'run' to 'exit' or 'failed'. */
export class ActiveRun {
  readonly spec: RunSpec;
  /** Exit code to report instead of 'terminated': the terminal's ^C and ^\. */
  interrupted: number | undefined;
  readonly #bridge: Bridge;
  readonly #post: (message: FromRunner) => void;
  readonly #log: LogWriter;
  readonly #announcer: Announcer;
  readonly #output: OutputReader;
  readonly #input: InputWriter;
  readonly #tty: LineDiscipline | undefined;
  /** Of a traced run, once its guest has begun. */
  trace: TraceRing | undefined;
  readonly #asker: Asker;
  /** Made when the run has published ports, or its guest opens a socket. */
  #stack: NetStack | undefined;
  #net: NetServer | undefined;
  readonly #cpu = process.cpuUsage();
  #retryTimer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  /** Where the reader of a log is that must not get far ahead of it. */
  #readTo = 0;
  #ending = false;
  #closed = false;

  /** Opens the log. `interrupt` is called when the terminal asks for the end. @throws the file system's error. */
  constructor(spec: RunSpec, bridge: Bridge, post: (message: FromRunner) => void, interrupt: () => void) {
    this.spec = spec;
    this.#bridge = bridge;
    this.#post = post;
    this.#log = new LogWriter(spec.log);
    this.#announcer = new Announcer(spec.id, () => this.#log.offset, post);
    this.#asker = new Asker((seq, ask) => post({ t: 'netAsk', id: spec.id, seq, ask }));
    resetBridge(bridge);
    this.#output = new OutputReader(bridge);
    this.#input = new InputWriter(bridge);
    if (spec.stdin === 'closed') this.eof();
    if (spec.tty) {
      this.resize(spec.tty.rows, spec.tty.columns);
      this.#tty = new LineDiscipline({
        echo: (bytes) => this.#write(0, bytes),
        input: (bytes) => this.#typed(bytes),
        eof: () => this.#input.mark(),
        interrupt: (exitCode) => {
          this.interrupted = exitCode;
          interrupt();
        },
      });
    }
    this.#output.sleep();
  }

  /** The guest has rung: there is output, or room for more input. */
  bell(): void {
    this.#feed();
    this.#drain();
    this.#net?.bell();
  }

  /** Opens the published ports, before the guest runs. @throws NotRunnable */
  async openPorts(): Promise<void> {
    await this.#openStack().openPorts();
  }

  /** Of the host, as they were opened; undefined when none is published. */
  get ports(): readonly number[] | undefined {
    return this.#stack?.ports;
  }

  /** The guest opens its network. */
  serveNet(shared: SharedArrayBuffer): void {
    if (!this.#ending) this.#net = new NetServer(this.#openStack(), openChannel(shared), this.#bridge.words);
  }

  netAnswer(seq: number, answer: NetAnswer): void {
    this.#asker.answer(seq, answer);
  }

  stdin(bytes: Uint8Array): void {
    if (this.#tty) {
      this.#drain();
      this.#tty.feed(bytes);
      this.#post({ t: 'stdinAck', id: this.spec.id, bytes: bytes.length });
    } else {
      this.#input.push(bytes);
    }
    this.#feed();
  }

  eof(): void {
    this.#input.end();
    this.#feed();
  }

  /** The log was read so far: there may be room for more. */
  logRead(offset: number): void {
    this.#readTo = Math.max(this.#readTo, offset);
    this.#drain();
  }

  resize(rows: number, columns: number): void {
    Atomics.store(this.#bridge.words, word.rows, rows);
    Atomics.store(this.#bridge.words, word.columns, columns);
  }

  /** Asks the guest to end at its next wait. */
  kill(): void {
    Atomics.store(this.#bridge.words, word.kill, 1);
    wake(this.#bridge.words);
  }

  usage(): RunUsage {
    const { user, system } = process.cpuUsage(this.#cpu);
    const { gauges } = this.#bridge;
    const read = (index: number) => gauges[index] ?? 0;
    return {
      cpuUser: user,
      cpuSystem: system,
      memory: read(gauge.memory),
      memoryPeak: read(gauge.memoryPeak),
      threads: read(gauge.threads) || 1,
      readBytes: read(gauge.readBytes),
      writtenBytes: read(gauge.writtenBytes),
      receivedBytes: this.#stack?.received ?? 0,
      sentBytes: this.#stack?.sent ?? 0,
    };
  }

  /**
   * The guest runs no more: brings the rest of the ring into the log, then the trap's text, then reports. While the disk is full it tries for a
   * while; what it then has to give up is told on stderr, the engine's own log. `done` is called before the report.
   */
  finish(outcome: RunOutcome, collecting: boolean, done: () => void): void {
    this.#closeNet(outcome.kind !== 'terminated', () => this.#finish(outcome, collecting, done));
  }

  /** The guest never ran. `done` is called when its ports are free. */
  abandon(done: () => void): void {
    this.#closeNet(false, () => {
      this.#close();
      done();
    });
  }

  #openStack(): NetStack {
    return (this.#stack ??= new NetStack({
      spec: this.spec.net,
      ask: this.#asker.ask,
      crowded: () => this.#asker.crowded,
      changed: (socket) => this.#net?.changed(socket),
    }));
  }

  #closeNet(graceful: boolean, then: () => void): void {
    this.#ending = true;
    this.#net?.finish();
    if (!this.#stack) return then();
    void this.#stack.close(graceful).then(() => {
      this.#asker.close();
      then();
    });
  }

  #finish(outcome: RunOutcome, collecting: boolean, done: () => void): void {
    const usage = this.usage();
    const deadline = Date.now() + RETRY_AT_END;
    let trapWritten = false;
    const attempt = (): void => {
      while (!this.#log.stuck && this.#round() > 0);
      if (!this.#log.stuck && !trapWritten && outcome.kind === 'trap') {
        trapWritten = true;
        this.#write(1, Buffer.from(outcome.stack));
      }
      if (this.#log.stuck && !this.#log.retry()) {
        if (Date.now() < deadline) {
          setTimeout(attempt, RETRY_INTERVAL);
          return;
        }
        process.stderr.write(`${this.spec.id}: the end of the log is lost: ${String(this.#log.stuck)}\n`);
      } else if (!this.#output.empty() || (!trapWritten && outcome.kind === 'trap')) return attempt();
      this.#close();
      done();
      const trace = readingOf(this.trace);
      this.#post({
        t: 'exit',
        id: this.spec.id,
        outcome,
        offset: this.#log.offset,
        usage,
        collecting,
        ...(trace ? { trace } : {}),
      });
    };
    attempt();
  }

  #close(): void {
    this.#closed = true;
    this.#announcer.stop();
    clearTimeout(this.#retryTimer);
    clearImmediate(this.#turn);
    this.#log.close();
  }

  #feed(): void {
    const moved = this.#input.flush();
    if (moved > 0 && !this.#tty) this.#post({ t: 'stdinAck', id: this.spec.id, bytes: moved });
  }

  #typed(line: Buffer): void {
    if (this.#input.pending + line.length > TTY_INPUT_LIMIT) this.#write(0, Buffer.from('\x07'));
    else this.#input.push(line);
  }

  /** One batch. Returns the ring bytes freed. */
  #round(): number {
    const log = this.#log;
    const tty = this.#tty !== undefined;
    log.begin();
    const freed = this.#output.read(BATCH, (stream, bytes, start, end) => {
      if (tty) log.add(0, newlinesToCrlf(bytes.subarray(start, end)));
      else log.add(stream, bytes, start, end);
    });
    log.end();
    if (freed > 0) wake(this.#bridge.words);
    return freed;
  }

  /** A few batches, then other work gets its turn. Every way out announces: the engine would wait for ever for growth it was not told of. */
  #drain(): void {
    if (this.#closed || this.#retryTimer || this.#turn) return;
    let asleep = false;
    // Held back by its full ring until somebody has read: `logRead` goes on.
    if (this.#isAhead()) return this.#announcer.announce();
    for (let round = 0; round < ROUNDS && !asleep && !this.#log.stuck && !this.#isAhead(); round++) {
      if (this.#round() === 0) asleep = this.#output.sleep();
    }
    this.#announcer.announce();
    if (this.#log.stuck) this.#retryLater();
    else if (!asleep)
      this.#turn = setImmediate(() => {
        this.#turn = undefined;
        this.#drain();
      });
  }

  #isAhead(): boolean {
    const { ahead } = this.spec.log;
    return ahead !== undefined && this.#log.offset - this.#readTo >= ahead;
  }

  /** The guest is held back by its full ring meanwhile: nothing is lost. */
  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      if (this.#log.retry()) this.#drain();
      else this.#retryLater();
    }, RETRY_INTERVAL);
  }

  /** Text of our own among the guest's output. */
  #write(stream: 0 | 1, bytes: Buffer): void {
    if (this.#closed) return;
    this.#log.begin();
    this.#log.add(this.#tty ? 0 : stream, this.#tty && stream === 1 ? newlinesToCrlf(bytes) : bytes);
    this.#log.end();
    this.#announcer.announce();
    if (this.#log.stuck) this.#retryLater();
  }
}
