/** Images to begin with: what there is, and what is being made of it. */
import { SvelteMap } from 'svelte/reactivity';
import type { StarterMessage, StarterRow } from '../../electron/contract/starters.ts';
import { stepOf } from './starter-step.ts';
import type { Operations } from './operations.svelte.ts';

/** What a starter is doing now. */
export interface StarterWork {
  /** The recipe being worked on: the one asked for, or one that it needs. */
  readonly name: string;
  readonly download: { readonly received: number; readonly total: number } | undefined;
  /** "4/9" */
  readonly step: string;
}

/** The part of the contract that is used here. */
export interface StartersLink {
  list(): Promise<readonly StarterRow[]>;
  build(name: string, signal: AbortSignal): Promise<AsyncIterable<StarterMessage>>;
}

export class Starters {
  readonly #link: StartersLink;
  readonly #operations: Operations;
  #rows = $state.raw<readonly StarterRow[]>([]);
  readonly #work = new SvelteMap<string, StarterWork>();
  // Nothing is drawn from it.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #stops = new Map<string, AbortController>();

  constructor(link: StartersLink, operations: Operations) {
    this.#link = link;
    this.#operations = operations;
  }

  get rows(): readonly StarterRow[] {
    return this.#rows;
  }
  work(name: string): StarterWork | undefined {
    return this.#work.get(name);
  }

  /** Those that are being built, or whose failure has not been read yet: they must stay in sight. */
  readonly unsettled: readonly string[] = $derived.by(() =>
    this.#rows
      .map(({ name }) => name)
      .filter((name) => this.#work.has(name) || this.#operations.problem(subjectOf(name)) !== undefined),
  );

  /** Asked when somebody looks, and after each build; a link that is down is told elsewhere. */
  async load(): Promise<void> {
    try {
      this.#rows = await this.#link.list();
    } catch {
      // The page keeps what it shows.
    }
  }

  /** Ends when the image is there, was cancelled, or failed; the failure is kept at `subjectOf(name)`. */
  async build(name: string, title: string): Promise<void> {
    if (this.#stops.has(name)) return;
    const stop = new AbortController();
    this.#stops.set(name, stop);
    this.#work.set(name, { name, download: undefined, step: '' });
    await this.#operations.run(subjectOf(name), 'build', title, async () => {
      try {
        for await (const message of await this.#link.build(name, stop.signal)) this.#take(name, message);
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    });
    this.#stops.delete(name);
    this.#work.delete(name);
    await this.load();
  }

  cancel(name: string): void {
    this.#stops.get(name)?.abort();
  }

  #take(name: string, message: StarterMessage): void {
    const now = this.#work.get(name);
    if (!now) return;
    if (message.type === 'starter') this.#work.set(name, { name: message.name, download: undefined, step: '' });
    else if (message.type === 'download') {
      const { received, total } = message;
      this.#work.set(name, { ...now, download: { received, total } });
    } else if (message.type === 'text') {
      const step = stepOf(message.text);
      if (step !== undefined) this.#work.set(name, { ...now, download: undefined, step });
    }
  }
}

/** Under which operations keep what goes wrong with it. */
export const subjectOf = (name: string): string => `starter:${name}`;
