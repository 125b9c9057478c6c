import { oc } from '@orpc/contract';
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

const base = oc.errors({ DRYDOCK: { data: failure } });

export const images = {
  inspect: base.input(z.object({ id: z.string() })).output(imageDetails),
  tag: base.input(z.object({ id: z.string(), reference: z.string() })).output(z.void()),
  /** `reference` untags one name; without it the whole image goes. */
  remove: base
    .input(z.object({ id: z.string(), reference: z.string().optional(), force: z.boolean() }))
    .output(z.void()),
};
