/* eslint-disable svelte/prefer-svelte-reactivity -- one counter stands for all histories; wishes are not drawn */
import type { StatsMessage } from '../../electron/contract/containers.ts';
import { History } from './history.ts';

/** Asks the engine for a message a second about these containers, until the signal aborts. */
export type StatsSource = (ids: string[], signal: AbortSignal) => Promise<AsyncIterable<StatsMessage>>;

/** ms that changes of what is wanted are gathered (scrolling), before the stream is asked for again. */
const settle = 150;
/** ms until a broken stream is asked for again. */
const retry = 1000;
/** The contract's most. */
const most = 1000;

/**
 * Live numbers. Whoever shows some says which containers it shows (`want`); one stream carries the union; with nobody looking (nothing wanted,
 * or the window hidden) there is no stream at all.
 */
export class StatsFeed {
  readonly #source: StatsSource;
  readonly #histories = new Map<string, History>();
  readonly #wants = new Map<symbol, readonly string[]>();
  #version = $state(0);
  #visible = true;
  #current = '';
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(source: StatsSource) {
    this.#source = source;
  }

  /** What is known of a container; changes every second while it is wanted. */
  of(id: string): History | undefined {
    void this.#version;
    return this.#histories.get(id);
  }
  /** Grows with every message: for what sums over many. */
  get version(): number {
    return this.#version;
  }

  /** Wants numbers of these; answers the end of the wish. */
  want(ids: readonly string[]): () => void {
    const key = Symbol('want');
    this.#wants.set(key, ids);
    this.#plan(settle);
    return () => {
      this.#wants.delete(key);
      this.#plan(settle);
    };
  }

  /** The window went out of sight or came back. */
  set visible(visible: boolean) {
    this.#visible = visible;
    this.#plan(0);
  }

  /** The link to the engine is new: ask again. */
  reconnect(): void {
    this.#stop();
    this.#plan(0);
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.#histories.delete(id);
  }

  #stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#current = '';
  }

  #plan(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#apply(), delay);
  }

  #apply(): void {
    const ids = this.#visible ? [...new Set([...this.#wants.values()].flat())].sort().slice(0, most) : [];
    const next = ids.join(' ');
    if (next === this.#current && this.#abort) return;
    this.#stop();
    if (ids.length === 0) return;
    this.#current = next;
    this.#abort = new AbortController();
    void this.#read(ids, this.#abort.signal);
  }

  async #read(ids: string[], signal: AbortSignal): Promise<void> {
    try {
      for await (const message of await this.#source(ids, signal)) {
        if (signal.aborted) break;
        for (const stat of message.samples) {
          let history = this.#histories.get(stat.id);
          if (!history) this.#histories.set(stat.id, (history = new History()));
          history.push(message.at, stat);
        }
        this.#version++;
      }
    } catch {
      // A broken link is said by the banner; here it only means to ask again.
    }
    if (signal.aborted) return;
    this.#stop();
    this.#plan(retry);
  }
}
