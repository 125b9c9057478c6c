import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

/** An image to begin with, made on this machine from a recipe that came with Drydock. */
export const starterRow = z.object({
  name: z.string(),
  title: z.string(),
  /** "drydock/lua:5.3" */
  tag: z.string(),
  /** One sentence by language: "en" always, "zh-CN". */
  about: z.record(z.string(), z.string()),
  /** A command line to begin with. */
  try: z.string(),
  license: z.string(),
  /** Bytes to fetch; 0 = no network needed. */
  download: z.number(),
  needs: z.array(z.string()),
  /** Id of the image with the tag; '' = there is none. */
  image: z.string(),
});
export type StarterRow = z.infer<typeof starterRow>;

/** In order. A later `download` replaces an earlier one; the last message is `done`; a failure ends the stream with DRYDOCK. */
export const starterMessage = z.discriminatedUnion('type', [
  /** Another recipe is begun: one that was needed, then the one asked for. */
  z.object({ type: z.literal('starter'), name: z.string() }),
  z.object({ type: z.literal('download'), package: z.string(), received: z.number(), total: z.number() }),
  /** What the build says, as `docker build` shows it. */
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('done'), image: z.string() }),
]);
export type StarterMessage = z.infer<typeof starterMessage>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const starters = {
  list: base.output(z.array(starterRow)),
  /** Ends when the page stops listening: that is how a build is cancelled. */
  build: base.input(z.object({ name: z.string().min(1).max(64) })).output(eventIterator(starterMessage)),
};
