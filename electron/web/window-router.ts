import type { EngineApi } from '../engine/api/index.ts';
import { openSettings, settingsFile, settingsSchema } from '../platform/settings.ts';
import type { DrydockRouter } from '../rpc/router.ts';
import type { Staging } from '../rpc/staging.ts';

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
  return () => (made ??= make(options));
}

async function make({ engine, staging, home, dockerHost, version }: WindowRouterOptions): Promise<DrydockRouter> {
  const [{ createRouter }, { default: Conf }, { containerInspectJson }, { imageInspectJson }] = await Promise.all([
    import('../rpc/router.ts'),
    import('conf'),
    import('../docker/wire/container.ts'),
    import('../docker/wire/image.ts'),
  ]);
  return createRouter({
    engine,
    staging,
    home,
    dockerHost,
    settings: openSettings(
      home,
      () => new Conf({ cwd: home, configName: settingsFile, projectVersion: version, schema: settingsSchema }),
    ),
    inspectContainer: (view) => containerInspectJson(view),
    inspectImage: (view) => imageInspectJson(view),
    allowPaths: false,
  });
}
