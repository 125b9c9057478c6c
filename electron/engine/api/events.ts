import type { Filters } from './containers.ts';

/** One thing that happened, in Docker's vocabulary (docker-api.md §3). */
export interface EngineEvent {
  readonly type: 'container' | 'image' | 'volume' | 'network' | 'builder' | 'daemon';
  /** "create", "die", "exec_create: CMD", … */
  readonly action: string;
  /** Id, or name for volumes and images. */
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch; strictly rising. */
  readonly timeNano: bigint;
}

export interface EventsApi {
  /** Calls back synchronously, in order. Returns the unsubscriber. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
  /** Replay from `since` (a ring of ≥ 1,024 events), then live ones until `until` or the signal. Bounds in nanoseconds. */
  stream(
    options: { readonly since?: bigint | undefined; readonly until?: bigint | undefined; readonly filters: Filters },
    signal: AbortSignal,
  ): AsyncIterable<EngineEvent>;
}
