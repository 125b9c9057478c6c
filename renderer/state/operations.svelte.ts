/* eslint-disable svelte/prefer-svelte-reactivity -- made anew by each derivation */
import { SvelteMap } from 'svelte/reactivity';
import type { Failure } from '../../electron/contract/errors.ts';
import { asFailure } from '../transport/failure.ts';

export interface Task {
  readonly id: number;
  /** What is being acted on: a container's id, an image's key, a file name. */
  readonly subject: string;
  readonly verb: string;
  /** "Stopping web" */
  readonly title: string;
  /** 0 to 1; undefined = cannot be known. */
  readonly share: number | undefined;
}

/** What the window asked the engine to do and is not done yet, and what went wrong with it: errors are shown where they happened. */
export class Operations {
  readonly #tasks = new SvelteMap<number, Task>();
  readonly #problems = new SvelteMap<string, Failure>();
  #lastId = 0;

  readonly tasks: readonly Task[] = $derived.by(() => [...this.#tasks.values()]);
  readonly #busy: ReadonlyMap<string, string> = $derived.by(
    () => new Map(this.tasks.map((task) => [task.subject, task.verb])),
  );

  /** The verb under way on a subject: 'start', 'stop', … */
  busy(subject: string): string | undefined {
    return this.#busy.get(subject);
  }
  problem(subject: string): Failure | undefined {
    return this.#problems.get(subject);
  }
  clear(subject: string): void {
    this.#problems.delete(subject);
  }
  fail(subject: string, error: unknown): void {
    this.#problems.set(subject, asFailure(error));
  }

  /**
   * Does one thing to a subject. A failure is kept for the subject's row and answered as undefined; "already so" is not a failure.
   */
  async run<T>(
    subject: string,
    verb: string,
    title: string,
    work: (progress: (share: number) => void) => Promise<T>,
  ): Promise<{ value: T } | undefined> {
    const id = ++this.#lastId;
    this.#problems.delete(subject);
    const task = (share: number | undefined): Task => ({ id, subject, verb, title, share });
    this.#tasks.set(id, task(undefined));
    try {
      // An async function, so that what throws at once is a failure like any other.
      return { value: await (async () => work((share) => void this.#tasks.set(id, task(share))))() };
    } catch (error) {
      const failure = asFailure(error);
      if (failure.kind !== 'notModified') this.#problems.set(subject, failure);
      return undefined;
    } finally {
      this.#tasks.delete(id);
    }
  }
}
