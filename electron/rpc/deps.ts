import { implement } from '@orpc/server';
import { contract } from '../contract/index.ts';
import type { ContainerView, EngineApi, ImageView } from '../engine/api/index.ts';
import type { SettingsStore } from '../platform/settings.ts';
import { toRpcError } from './failure.ts';
import type { Staging } from './staging.ts';

/** What the router needs from the door that opens it. */
export interface RouterDeps {
  readonly engine: EngineApi;
  readonly settings: SettingsStore;
  /** What a person exports for the docker CLI: "unix:///…". */
  readonly dockerHost: string;
  readonly home: string;
  /** `docker inspect` JSON; made by electron/docker/wire, which rpc may not import. */
  inspectContainer(view: ContainerView): Record<string, unknown>;
  inspectImage(view: ImageView): Record<string, unknown>;
  /** True where the caller's paths are the user's own (desktop): allows modules.stagePath. */
  readonly allowPaths: boolean;
  /** Shared with the door's upload route; absent = the router has its own under HOME/tmp. */
  readonly staging?: Staging;
}

/** The contract, to be implemented: every procedure turns what the engine throws into the typed failure. */
export const rpc = implement(contract).use(async ({ next }) => {
  try {
    return await next();
  } catch (error) {
    throw toRpcError(error);
  }
});
