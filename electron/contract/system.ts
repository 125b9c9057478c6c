import { oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

/** The status bar. Pushed by events.watch when it changes. */
export const engineSummary = z.object({
  version: z.string(),
  /** What to export for the docker CLI: "unix:///…". */
  dockerHost: z.string(),
  home: z.string(),
  running: z.number(),
  total: z.number(),
  images: z.number(),
  /** Bytes used by the home. */
  disk: z.number(),
  cpus: z.number(),
  memoryTotal: z.number(),
  platform: z.string(),
});
export type EngineSummary = z.infer<typeof engineSummary>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const system = {
  summary: base.output(engineSummary),
};
