import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';
import { moduleInfo } from './modules.ts';

export const imageRow = z.object({
  id: z.string(),
  /** Empty = dangling. */
  tags: z.array(z.string()),
  /** Milliseconds since the epoch. */
  createdAt: z.number(),
  size: z.number(),
  os: z.string(),
  architecture: z.string(),
  labels: z.record(z.string(), z.string()),
  /** Ids of the containers made from it. */
  usedBy: z.array(z.string()),
  /** A check found parts of it damaged: it cannot be used until `repair`. */
  damaged: z.boolean().optional(),
});
export type ImageRow = z.infer<typeof imageRow>;

/** For the Run dialog: what the image says, and what its module imports (null when it has none or cannot be read). */
export const imageDetails = z.object({
  row: imageRow,
  entrypoint: z.array(z.string()),
  command: z.array(z.string()),
  env: z.array(z.string()),
  workingDir: z.string(),
  exposedPorts: z.array(z.string()),
  volumes: z.array(z.string()),
  modulePath: z.string(),
  module: moduleInfo.nullable(),
  moduleError: z.string(),
  inspect: z.record(z.string(), z.unknown()),
});
export type ImageDetails = z.infer<typeof imageDetails>;

/** Something that `check` has found. */
export const checkFinding = z.object({
  kind: z.enum(['blob', 'image', 'snapshot']),
  /** Names (ids where there are none) of the images that it is a part of. */
  images: z.array(z.string()),
  problem: z.string(),
  /** What to do; '' = nothing. */
  hint: z.string(),
  /** It was put right at once. */
  repaired: z.boolean(),
  /** `repair` of one of `images` may put it right. */
  repairable: z.boolean(),
});
export type CheckFinding = z.infer<typeof checkFinding>;

/** Of a check, in order: progress (at most ten a second) and findings, then `done`. Bytes. */
export const checkMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), current: z.number(), total: z.number() }),
  z.object({ type: z.literal('finding'), finding: checkFinding }),
  z.object({
    type: z.literal('done'),
    blobs: z.number(),
    images: z.number(),
    snapshots: z.number(),
    total: z.number(),
    /** Findings that were not put right. */
    open: z.number(),
  }),
]);
export type CheckMessage = z.infer<typeof checkMessage>;

/** Of a repair: the blobs on their way, then `done`. */
export const repairMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('blob'),
    digest: z.string(),
    /** The repository. */
    from: z.string(),
    current: z.number(),
    total: z.number(),
  }),
  z.object({ type: z.literal('done'), image: z.string(), fetched: z.array(z.string()) }),
]);
export type RepairMessage = z.infer<typeof repairMessage>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const images = {
  inspect: base.input(z.object({ id: z.string() })).output(imageDetails),
  tag: base.input(z.object({ id: z.string(), reference: z.string() })).output(z.void()),
  /** `reference` untags one name; without it the whole image goes. */
  remove: base
    .input(z.object({ id: z.string(), reference: z.string().optional(), force: z.boolean() }))
    .output(z.void()),
  /** Reads everything that is stored. Ends when the page stops listening. */
  check: base.output(eventIterator(checkMessage)),
  /** Fetches what a damaged image lacks from the registries of its names. */
  repair: base.input(z.object({ reference: z.string().min(1).max(1024) })).output(eventIterator(repairMessage)),
};
