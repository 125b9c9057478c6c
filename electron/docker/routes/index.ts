import type { EngineApi } from '../../engine/api/index.ts';
import type { Route } from '../router.ts';
import { archiveRoutes } from './archive.ts';
import { attachRoutes } from './attach.ts';
import { buildRoutes } from './build.ts';
import { containerRoutes } from './containers.ts';
import { execRoutes } from './exec.ts';
import { imageRoutes } from './images.ts';
import { lifecycleRoutes } from './lifecycle.ts';
import { logsRoutes } from './logs.ts';
import { networkRoutes } from './networks.ts';
import { refusalRoutes } from './refusals.ts';
import { registryRoutes } from './registry.ts';
import { statsRoutes } from './stats.ts';
import { systemRoutes } from './system.ts';
import { volumeRoutes } from './volumes.ts';

/** Every endpoint, in the order in which they are tried. */
export function dockerRoutes(engine: EngineApi, options: { readonly version: string }): readonly Route[] {
  return [
    ...systemRoutes(engine, options.version),
    ...containerRoutes(engine),
    ...lifecycleRoutes(engine),
    ...archiveRoutes(engine),
    ...attachRoutes(engine),
    ...execRoutes(engine),
    ...logsRoutes(engine),
    ...statsRoutes(engine),
    ...imageRoutes(engine),
    ...buildRoutes(engine),
    ...registryRoutes(engine),
    ...volumeRoutes(engine),
    ...networkRoutes(engine),
    ...refusalRoutes(),
  ];
}
