import type { BuildEvent } from './images.ts';

/** An image to begin with, made on this machine from a recipe. */
export interface Starter {
  /** "lua" */
  readonly name: string;
  readonly title: string;
  /** "drydock/lua:5.3" */
  readonly tag: string;
  /** One sentence by language: "en" always, "zh-CN". */
  readonly about: Readonly<Record<string, string>>;
  /** A command line to begin with. */
  readonly try: string;
  readonly license: string;
  /** Bytes that are fetched from the npm registry, needed starters that are not there yet included; 0 = it needs no network. */
  readonly download: number;
  /** Starters that are built before, when they are not there. */
  readonly needs: readonly string[];
  /** Id of the image that has the tag. */
  readonly image: string | undefined;
}

export type StarterEvent =
  /** Another recipe is begun: one that was needed, then the one asked for. */
  | { readonly type: 'starter'; readonly name: string }
  | { readonly type: 'download'; readonly package: string; readonly received: number; readonly total: number }
  | BuildEvent;

export interface StartersApi {
  list(): readonly Starter[];
  /** Ends after the image; gives up with the signal. @throws notFound, unavailable (no network), damaged (the package is not the one pinned), invalid, cancelled */
  build(name: string, signal?: AbortSignal): AsyncIterable<StarterEvent>;
}
