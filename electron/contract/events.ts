import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { containerRow } from './containers.ts';
import { failure } from './errors.ts';
import { imageRow } from './images.ts';
import { settings } from './settings.ts';
import { engineSummary } from './system.ts';

/**
 * The window's mirror of the engine: one snapshot, then changes, in order. Changes of one row that a slow reader has not fetched yet are merged
 * (the latest wins), so the queue is bounded by the number of rows.
 */
export const watchMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    engine: engineSummary,
    containers: z.array(containerRow),
    images: z.array(imageRow),
    settings,
  }),
  z.object({ type: z.literal('containers'), upsert: z.array(containerRow), removed: z.array(z.string()) }),
  z.object({ type: z.literal('images'), upsert: z.array(imageRow), removed: z.array(z.string()) }),
  z.object({ type: z.literal('engine'), engine: engineSummary }),
  z.object({ type: z.literal('settings'), settings }),
]);
export type WatchMessage = z.infer<typeof watchMessage>;

export const events = {
  watch: oc.errors({ DRYDOCK: { data: failure } }).output(eventIterator(watchMessage)),
};
