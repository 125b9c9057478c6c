import { builds } from './builds.ts';
import { containers } from './containers.ts';
import { events } from './events.ts';
import { execs } from './execs.ts';
import { images } from './images.ts';
import { modules } from './modules.ts';
import { networks } from './networks.ts';
import { registries } from './registries.ts';
import { settingsContract } from './settings.ts';
import { starters } from './starters.ts';
import { system } from './system.ts';

/** The whole contract, one property per noun. Served by electron/rpc over a MessagePort (desktop) and a WebSocket (web). */
export const contract = {
  builds,
  containers,
  events,
  execs,
  images,
  modules,
  networks,
  registries,
  settings: settingsContract,
  starters,
  system,
};
export type Contract = typeof contract;
