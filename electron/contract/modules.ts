import { oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

/** What a .wasm is: the plain value of electron/module/describe.ts as it reaches the window. */
export const moduleInfo = z.object({
  digest: z.string(),
  kind: z.enum(['core', 'component']),
  size: z.number(),
  flavour: z.string(),
  entry: z.enum(['command', 'reactor', 'library']),
  language: z.string().optional(),
  producers: z.array(z.object({ field: z.string(), name: z.string(), version: z.string() })),
  imports: z.array(
    z.object({
      module: z.string(),
      name: z.string(),
      kind: z.string(),
      params: z.array(z.string()).optional(),
      results: z.array(z.string()).optional(),
    }),
  ),
  exports: z.array(z.object({ name: z.string(), kind: z.string() })),
  sections: z.array(z.object({ name: z.string(), offset: z.number(), size: z.number() })),
  memory: z
    .object({ initial: z.number(), maximum: z.number().optional(), shared: z.boolean(), imported: z.boolean() })
    .optional(),
  capabilities: z.object({
    args: z.boolean(),
    env: z.boolean(),
    filesRead: z.boolean(),
    filesWrite: z.boolean(),
    stdin: z.boolean(),
    clock: z.boolean(),
    random: z.boolean(),
    listen: z.boolean(),
    connect: z.boolean(),
    threads: z.boolean(),
  }),
  /** Null when it can run here. */
  refusal: z.string().nullable(),
});
export type ModuleInfo = z.infer<typeof moduleInfo>;

/** A file that was dropped or picked and waits to become an image; kept for 10 minutes. */
export const stagedModule = z.object({
  stageId: z.string(),
  fileName: z.string(),
  /** What the image would be called: "hello:latest". */
  suggestedReference: z.string(),
  module: moduleInfo,
});
export type StagedModule = z.infer<typeof stagedModule>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const modules = {
  /** Desktop only: a path that the preload got from webUtils.getPathForFile or the main process from the OS. The web door uploads to POST /stage?name=FILE instead, which answers a StagedModule. */
  stagePath: base.input(z.object({ path: z.string().min(1) })).output(stagedModule),
  /** A staged module becomes an image. */
  importStaged: base
    .input(z.object({ stageId: z.string(), reference: z.string().min(1) }))
    .output(z.object({ imageId: z.string(), reference: z.string() })),
  discardStaged: base.input(z.object({ stageId: z.string() })).output(z.void()),
};
