import { join } from 'node:path';
import { buildsRouter } from './builds.ts';
import { containersRouter } from './containers.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { eventsRouter } from './events.ts';
import { execsRouter } from './execs.ts';
import { imagesRouter } from './images.ts';
import { modulesRouter } from './modules.ts';
import { networksRouter } from './networks.ts';
import { registriesRouter } from './registries.ts';
import { settingsRouter } from './settings.ts';
import { Staging } from './staging.ts';
import { StatsHub } from './stats-hub.ts';
import { startersRouter } from './starters.ts';
import { systemRouter } from './system.ts';
import { Watch } from './watch.ts';

export type { RouterDeps } from './deps.ts';

/** The whole contract, answered by the engine. One router serves every window of a process; what it runs, it runs only while somebody iterates. */
export function createRouter(deps: RouterDeps) {
  const watch = new Watch(deps);
  const stats = new StatsHub(deps.engine);
  const staging = deps.staging ?? new Staging(deps.engine, join(deps.home, 'tmp'));
  return rpc.router({
    builds: buildsRouter(deps),
    containers: containersRouter(deps, (id) => watch.touch(id), stats),
    events: eventsRouter(watch),
    execs: execsRouter(deps),
    images: imagesRouter(deps),
    modules: modulesRouter(deps, staging),
    networks: networksRouter(deps),
    registries: registriesRouter(deps),
    settings: settingsRouter(deps),
    starters: startersRouter(deps),
    system: systemRouter(deps),
  });
}

export type DrydockRouter = ReturnType<typeof createRouter>;
