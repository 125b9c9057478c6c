/** One exec in memory, from its creation to a while after its end. */
import type { DrydockError } from '../../../base/errors.ts';
import type { Run } from '../../../supervisor/api.ts';
import type { ExecEnd, ExecSpec } from '../../api/index.ts';
import type { Container } from '../container.ts';
import { Stdin } from '../stdin.ts';
import type { ExecOutput } from './output.ts';

export class Exec {
  readonly id: string;
  readonly container: Container;
  readonly spec: ExecSpec;
  readonly stdin = new Stdin();
  /** `starting`: its runner is asked for; `ended`: `end` says how. */
  state: 'created' | 'starting' | 'running' | 'ended' = 'created';
  /** RFC 3339; '' until it is started. */
  startedAt = '';
  /** Monotonic milliseconds of the end, by the engine's timers. */
  endedAt = 0;
  end: ExecEnd | undefined;
  /** Why it never ran. */
  failure: DrydockError | undefined;
  run: Run | undefined;
  output: ExecOutput | undefined;
  /** Its end was asked for: it does not get going any more. */
  ending = false;
  /** Last size told by its terminal: rows, columns. */
  consoleSize: readonly [number, number];
  /** Resolves when it runs or has ended without running. */
  readonly begun: Promise<void>;
  /** Resolves when `end` is set, announced, and its output is complete. */
  readonly ended: Promise<ExecEnd>;
  readonly #begun = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<ExecEnd>();

  constructor(id: string, container: Container, spec: ExecSpec) {
    this.id = id;
    this.container = container;
    this.spec = spec;
    this.consoleSize = spec.consoleSize ?? [24, 80];
    this.begun = this.#begun.promise;
    this.ended = this.#ended.promise;
  }

  /** Has a runner, or is about to get one. */
  get isLive(): boolean {
    return this.state === 'starting' || this.state === 'running';
  }

  settleBegin(): void {
    this.#begun.resolve();
  }

  settleEnd(end: ExecEnd): void {
    this.#begun.resolve();
    this.#ended.resolve(end);
  }
}

/** The command as events and `top` show it. */
export const commandOf = ({ command }: Pick<ExecSpec, 'command'>): string => command.join(' ');
