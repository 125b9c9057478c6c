import type { ContainersApi } from './containers.ts';
import type { EventsApi } from './events.ts';
import type { ExecsApi } from './execs.ts';
import type { ImagesApi } from './images.ts';
import type { NetworksApi } from './networks.ts';
import type { RegistryApi } from './registry.ts';
import type { StartersApi } from './starters.ts';
import type { SystemApi } from './system.ts';
import type { VolumesApi } from './volumes.ts';

/** The engine as the docker and rpc doors see it. Built by engine/engine.ts. */
export interface EngineApi {
  readonly containers: ContainersApi;
  readonly execs: ExecsApi;
  readonly images: ImagesApi;
  readonly volumes: VolumesApi;
  readonly networks: NetworksApi;
  readonly events: EventsApi;
  readonly system: SystemApi;
  readonly starters: StartersApi;
  readonly registry: RegistryApi;
  /** Stops containers (restart policies are kept), writes records, ends runners, lets go of the home. Idempotent. */
  close(): Promise<void>;
}

export type * from './containers.ts';
export type * from './events.ts';
export type * from './execs.ts';
export type * from './images.ts';
export type * from './networks.ts';
export type * from './registry.ts';
export type * from './starters.ts';
export type * from './system.ts';
export type * from './volumes.ts';
