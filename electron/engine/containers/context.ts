/** What the verbs work with. Each asks for the part it needs; engine.ts puts it together. */
import type { SupervisorApi } from '../../supervisor/api.ts';
import type { ImagesApi } from '../api/index.ts';
import type { NewEvent } from '../events/events.ts';
import type { Images } from '../images/images.ts';
import type { Namespaces } from '../networks/namespaces.ts';
import type { Networks } from '../networks/networks.ts';
import type { Volumes } from '../volumes/volumes.ts';
import type { ContainerDirectories } from './directories.ts';
import type { Roots } from './root.ts';
import type { ContainerStore } from './store.ts';

/** Time, so that tests of back-off need not wait. */
export interface Timers {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once, unless cancelled. Does not keep the process alive. */
  after(milliseconds: number, callback: () => void): () => void;
}

export interface Context {
  readonly store: ContainerStore;
  readonly directories: ContainerDirectories;
  readonly images: Pick<ImagesApi, 'get' | 'module'> & Pick<Images, 'commit'> & { sweep?(): Promise<void> };
  readonly roots: Roots;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly namespaces: Namespaces;
  readonly supervisor: SupervisorApi;
  readonly emit: (event: NewEvent) => void;
  readonly timers: Timers;
  readonly log: (line: string) => void;
  /** True once the engine closes: nothing starts any more. */
  closing: boolean;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};
