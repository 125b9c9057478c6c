/**
 * The health of one container while it runs: a probe, an exec of its own, on its interval; never two at once, none while it is paused. The rules are
 * moby's (daemon/health.go): healthy at the first success, unhealthy after `retries` failures in a row, and within the start period failures do not
 * count.
 */
import type { ContainerHealth, ProbeResult } from '../api/index.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { addExec } from './exec/create.ts';
import { endExec } from './exec/end.ts';
import type { Exec } from './exec/exec.ts';
import { startExec } from './exec/start.ts';
import { probeTimes, type ProbeTimes } from './healthcheck.ts';
import { announce, now } from './transitions.ts';

/** Results kept, and bytes of output of each. */
const KEPT = 5;
const OUTPUT = 4096;

export class Health {
  readonly #context: Context;
  readonly #container: Container;
  readonly #command: readonly string[];
  readonly #times: ProbeTimes;
  /** Monotonic milliseconds of the start. */
  readonly #began: number;
  #status: ContainerHealth['status'] = 'starting';
  #failingStreak = 0;
  #log: readonly ProbeResult[];
  #cancel: (() => void) | undefined;
  #exec: Exec | undefined;
  /** Counts holds: what a probe from before one says does not matter any more. */
  #turn = 0;

  /** `log`: of the run before. */
  constructor(
    context: Context,
    container: Container,
    command: readonly string[],
    times: ProbeTimes,
    log: readonly ProbeResult[],
  ) {
    this.#context = context;
    this.#container = container;
    this.#command = command;
    this.#times = times;
    this.#log = log;
    this.#began = context.timers.now();
    this.go();
  }

  view(): ContainerHealth {
    return { status: this.#status, failingStreak: this.#failingStreak, log: this.#log };
  }

  /** From now on it is probed; first after an interval. */
  go(): void {
    this.hold();
    const turn = this.#turn;
    this.#cancel = this.#context.timers.after(this.#interval(), () => void this.#round(turn));
  }

  /** Not any more: paused, or over. A probe that is under way is ended and forgotten. */
  hold(): void {
    this.#turn++;
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#exec) void endExec(this.#exec);
  }

  /** The run is over; as in moby, what does not run is not healthy. */
  end(): void {
    this.hold();
    this.#status = 'unhealthy';
    this.#container.touch();
  }

  #interval(): number {
    const { interval, startInterval } = this.#times;
    return this.#status === 'starting' && this.#isStarting(this.#context.timers.now()) ? startInterval : interval;
  }

  #isStarting(at: number): boolean {
    return at - this.#began < this.#times.startPeriod;
  }

  async #round(turn: number): Promise<void> {
    const at = this.#context.timers.now();
    const result = await this.#probe().catch(
      (error: unknown): Omit<ProbeResult, 'start' | 'end'> & { readonly start: string } => ({
        start: now(),
        exitCode: -1,
        output: error instanceof Error ? error.message : String(error),
      }),
    );
    if (turn !== this.#turn) return;
    this.#judge({ ...result, end: now() }, at);
    this.go();
  }

  /** @throws conflict when the container does not take an exec any more */
  async #probe(): Promise<Omit<ProbeResult, 'end'>> {
    const start = now();
    const container = this.#container;
    const exec = addExec(this.#context, container, {
      command: this.#command,
      attachStdout: true,
      attachStderr: true,
    });
    this.#exec = exec;
    let timedOut = false;
    const { timeout } = this.#times;
    const cancel = this.#context.timers.after(timeout, () => {
      timedOut = true;
      void endExec(exec);
    });
    try {
      startExec(this.#context, exec);
      const output = await firstOf(exec);
      const { exitCode } = await exec.ended;
      if (!timedOut) return { start, exitCode, output };
      const more = output === '' ? '' : `: ${output}`;
      return { start, exitCode: -1, output: `Health check exceeded timeout (${spell(timeout)})${more}` };
    } finally {
      cancel();
      this.#exec = undefined;
      container.execs.delete(exec);
      container.touch();
    }
  }

  #judge(result: ProbeResult, at: number): void {
    const before = this.#status;
    this.#log = [...this.#log, result].slice(-KEPT);
    if (result.exitCode === 0) {
      this.#failingStreak = 0;
      this.#status = 'healthy';
    } else if (before !== 'starting' || !this.#isStarting(at)) {
      this.#failingStreak++;
      if (this.#failingStreak >= this.#times.retries) this.#status = 'unhealthy';
    }
    this.#container.touch();
    if (this.#status !== before) announce(this.#context, this.#container, `health_status: ${this.#status}`);
  }
}

/** The output's first bytes as text, read to its end. */
async function firstOf({ output }: Exec): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  if (output)
    for await (const batch of output.read())
      for (const { data } of batch) {
        // The block that an entry looks into is not kept.
        if (size < OUTPUT) parts.push(Uint8Array.from(data.subarray(0, OUTPUT - size)));
        size += data.length;
      }
  const text = Buffer.concat(parts).toString();
  if (size <= OUTPUT) return text;
  return `${Buffer.concat(parts).toString('utf8', 0, OUTPUT - 3)}...`;
}

/** As Go writes durations: 1m30s, 2.5s, 500ms. */
export function spell(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = `${(milliseconds % 60_000) / 1000}s`;
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes === 0) return seconds;
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ''}${minutes % 60}m${seconds}`;
}

/** The container's run begins; `command` undefined: nothing can be probed. */
export function beginHealth(context: Context, container: Container, command: readonly string[] | undefined): void {
  const { healthcheck } = container.record.config;
  const log = container.health?.view().log ?? [];
  container.health =
    command && healthcheck ? new Health(context, container, command, probeTimes(healthcheck), log) : undefined;
  container.touch();
}
