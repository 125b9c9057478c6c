import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';
import { transferMessage } from './registries.ts';

const word = z.string().max(1024);

/** What `docker build` is told, by a window. Empty texts mean what docker does without the option. */
export const buildRequest = z.object({
  /** The context: an absolute path on the computer where the engine runs. Its .dockerignore is obeyed. */
  directory: z.string().min(1).max(4096),
  /** Relative to the directory; '' = Dockerfile. */
  dockerfile: word.default(''),
  tags: z.array(word).max(100).default([]),
  /** null = as if it had not been given. */
  buildArgs: z.record(z.string(), z.string().nullable()).default({}),
  labels: z.record(z.string(), z.string()).default({}),
  target: word.default(''),
  noCache: z.boolean().default(false),
  pull: z.boolean().default(false),
  platform: word.default(''),
  /** Of RUN: a network's name, "none" or "host"; '' = the default one. */
  network: word.default(''),
  /** Bytes for each program of RUN; 0 = no limit. */
  memory: z.number().int().nonnegative().default(0),
  /** Billionths of a CPU for each program of RUN; 0 = no limit. */
  nanoCpus: z.number().int().nonnegative().default(0),
});
export type BuildRequest = z.input<typeof buildRequest>;

/** In order. The last message is `done`; a failure ends the stream with DRYDOCK: the step that was begun last is the one that failed. */
export const buildMessage = z.discriminatedUnion('type', [
  /** How much of the directory was read, at most ten times a second and once at its end. */
  z.object({ type: z.literal('context'), files: z.number(), bytes: z.number(), done: z.boolean() }),
  /** A row of the table: said when the step is begun, and again, with `milliseconds`, when it is done. */
  z.object({
    type: z.literal('step'),
    index: z.number(),
    total: z.number(),
    text: z.string(),
    /** Of the Dockerfile; 0 = it comes from the request. */
    line: z.number(),
    /** Name or number of its stage; '' before the first FROM. */
    stage: z.string(),
    cached: z.boolean().optional(),
    milliseconds: z.number().optional(),
  }),
  /** What `docker build` would show. Of a build that says a great deal the rest is left out, which is said. */
  z.object({ type: z.literal('text'), text: z.string() }),
  /** Of a base image that is fetched. */
  z.object({ type: z.literal('pull'), message: transferMessage }),
  z.object({ type: z.literal('done'), image: z.string() }),
]);
export type BuildMessage = z.infer<typeof buildMessage>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const builds = {
  /** Ends when the page stops listening: that is how a build is cancelled. */
  build: base.input(buildRequest).output(eventIterator(buildMessage)),
};
