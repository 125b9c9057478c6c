import { oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

/** What a person may choose; kept in the home's config.json (electron-store in the desktop, conf headless: the same file). */
export const settings = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  language: z.enum(['system', 'en', 'zh-CN']),
});
export type Settings = z.infer<typeof settings>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const settingsContract = {
  get: base.output(settings),
  set: base.input(settings.partial()).output(settings),
};
