import { oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

/** How registries are reached; empty lists and texts mean the defaults. */
export const registrySettings = z.object({
  /** Base URLs asked before docker.io. */
  mirrors: z.array(z.string().max(2048)).max(20).readonly(),
  /** `host[:port]` or CIDR: no certificate is checked there. */
  insecure: z.array(z.string().max(255)).max(100).readonly(),
  /** Absolute path of a PEM file. */
  caFile: z.string().max(4096),
  httpProxy: z.string().max(2048),
  httpsProxy: z.string().max(2048),
  noProxy: z.string().max(4096),
  /** Base URL of the npm registry for starters; '' = as the environment says, else npm's own. */
  npm: z.string().max(4096),
});

/** What a person may choose; kept in the home's config.json (electron-store in the desktop, conf headless: the same file). */
export const settings = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  language: z.enum(['system', 'en', 'zh-CN']),
  registries: registrySettings,
});
export type Settings = z.infer<typeof settings>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const settingsContract = {
  get: base.output(settings),
  set: base.input(settings.partial()).output(settings),
};
