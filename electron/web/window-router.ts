import { containerInspectJson } from '../docker/wire/container.ts';
import { imageInspectJson } from '../docker/wire/image.ts';
import type { EngineApi } from '../engine/api/index.ts';
import type { DrydockRouter } from '../rpc/router.ts';
import type { Staging } from '../rpc/staging.ts';
import { openConfSettings } from './conf-settings.ts';

export interface WindowRouterOptions {
  readonly engine: EngineApi;
  readonly staging: Staging;
  readonly home: string;
  readonly dockerHost: string;
  /** Drydock's own version. */
  readonly version: string;
}

/** Gives the router, made the first time it is asked for: oRPC, the schemas and conf are in memory only when there is a window. */
export function windowRouter(options: WindowRouterOptions): () => Promise<DrydockRouter> {
  let made: Promise<DrydockRouter> | undefined;
  return () =>
    (made ??= make(options).catch((error: unknown) => {
      made = undefined; // the next window tries again
      throw error;
    }));
}

async function make({ engine, staging, home, dockerHost, version }: WindowRouterOptions): Promise<DrydockRouter> {
  const [{ createRouter }, settings] = await Promise.all([import('../rpc/router.ts'), openConfSettings(home, version)]);
  return createRouter({
    engine,
    staging,
    home,
    dockerHost,
    settings,
    inspectContainer: (view) => containerInspectJson(view),
    inspectImage: (view) => imageInspectJson(view),
    allowPaths: false,
  });
}
