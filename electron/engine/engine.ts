/**
 * Opens a data root and puts the engine together: read this first. Everything is built by plain calls in the order of need (lock, events, supervisor,
 * networks, images, volumes, containers) and closed in the opposite one. The doors (docker/, rpc/) see only EngineApi.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toDrydockError } from '../base/errors.ts';
import { asFull } from '../platform/atomic-file.ts';
import { acquireLock } from '../platform/lock.ts';
import { registrySettingsOf } from '../platform/registry-settings.ts';
import type { ProcessHost, SupervisorApi } from '../supervisor/api.ts';
import { createSupervisor } from '../supervisor/supervisor.ts';
import type { CredentialStore, EngineApi, RegistrySettings } from './api/index.ts';
import { runtimeNames } from './containers/config.ts';
import { openContainers } from './containers/containers.ts';
import { systemTimers, type Context, type Timers } from './containers/context.ts';
import { ContainerDirectories } from './containers/directories.ts';
import { Roots } from './containers/root.ts';
import { ContainerStore } from './containers/store.ts';
import { createEvents } from './events/events.ts';
import { openImages } from './images/images.ts';
import { checkLayoutVersion, homeLayout, prepareHome } from './layout.ts';
import { hostSubnets } from './networks/host-subnets.ts';
import { Namespaces, type NamespacesParts } from './networks/namespaces.ts';
import { openNetworks } from './networks/networks.ts';
import { openRegistries } from './registry/registry.ts';
import { programRunner } from './run-program.ts';
import { createTransport } from './registry/transport.ts';
import { openStarters } from './starters/starters.ts';
import { createSystem } from './usage/system.ts';
import { openVolumes } from './volumes/volumes.ts';

export interface EngineOptions {
  /** The data root; made when it is not there. */
  readonly home: string;
  /** Starts runner processes. */
  readonly processHost: ProcessHost;
  /** Drydock's own. */
  readonly version: string;
  /** Notes for the log of the app itself, a sentence each. */
  readonly log?: (line: string) => void;
  /** How registries are reached; asked each time. Absent = as HOME/config.json says. */
  readonly registrySettings?: () => RegistrySettings;
  /** The recipes of images to begin with (dist/starters). Absent = there are none. */
  readonly starters?: string;
  /** Where log-ins to registries are kept. Absent = a 0600 file in the home. */
  readonly credentials?: CredentialStore;
}

/** Replaced by tests that need neither processes nor time. */
export interface EngineParts {
  readonly supervisor?: (host: ProcessHost) => SupervisorApi;
  readonly timers?: Timers;
  readonly net?: Pick<NamespacesParts, 'resolver' | 'ports'> & { readonly hostSubnets?: typeof hostSubnets };
}

/** @throws conflict when another process has the home (its pid is named) or a newer Drydock made it; damaged, denied, full */
export async function openEngine(options: EngineOptions, parts: EngineParts = {}): Promise<EngineApi> {
  const layout = homeLayout(resolve(options.home));
  const log = options.log ?? (() => {});
  const undo: (() => unknown)[] = [];
  try {
    mkdirSync(layout.home, { recursive: true });
    const lock = acquireLock(layout.lock);
    undo.push(() => lock.release());
    checkLayoutVersion(layout);
    prepareHome(layout);

    const events = createEvents(undefined, (error) => log(`a listener for events failed: ${String(error)}`));
    undo.push(() => events.close());
    const { emit } = events;

    const store = new ContainerStore();
    const supervisor = (parts.supervisor ?? createSupervisor)(options.processHost);
    undo.push(() => supervisor.close());
    const settings = options.registrySettings ?? registrySettingsOf(layout.home);
    const registries = openRegistries({
      version: options.version,
      settings,
      credentials: options.credentials ?? layout.registryLogins,
    });
    undo.push(() => registries.close());
    const networks = openNetworks({
      path: layout.networks,
      emit,
      containerName: (id) => store.get(id)?.name ?? '',
      hostSubnets: parts.net?.hostSubnets ?? hostSubnets,
    });
    const namespaces = new Namespaces({ networks, directory: join(layout.tmp, 'net'), ...parts.net });
    undo.push(() => namespaces.close());
    const transport = createTransport(settings);
    undo.push(() => transport.close());
    const images = await openImages({
      home: layout.home,
      emit,
      usedBy: (imageId) => store.usersOf(imageId),
      note: log,
      runProgram: programRunner({
        supervisor,
        tmp: layout.tmp,
        networks,
        namespaces,
        namespaceOfContainer: (ref) => store.find(ref).net?.namespace,
      }),
      transport,
      registries,
    });
    undo.push(() => images.close());
    const starters = openStarters({
      directory: options.starters,
      tmp: layout.tmp,
      images,
      transport,
      registry: () => settings().npm || process.env['npm_config_registry'] || 'https://registry.npmjs.org/',
    });
    const volumes = openVolumes({ layout, emit, log });
    const directories = new ContainerDirectories(layout.containers, layout.tmp);
    undo.push(() => directories.close());
    const context: Context = {
      store,
      directories,
      images,
      roots: new Roots(images),
      volumes,
      networks,
      namespaces,
      supervisor,
      emit,
      timers: parts.timers ?? systemTimers,
      log,
      closing: false,
    };
    const containers = openContainers(context, layout.home);
    undo.push(() => containers.close());

    const system = createSystem({
      home: layout.home,
      version: options.version,
      runtimes: runtimeNames,
      containers: containers.api,
      images,
      volumes,
      volumeUsers: (name) => volumes.users(name).length,
    });
    containers.resume();
    // What a crash left of images that were kept for containers which are gone.
    images.sweep().catch((error: unknown) => log(`images were not swept: ${String(error)}`));

    let closing: Promise<void> | undefined;
    return {
      containers: containers.api,
      execs: containers.execs,
      images,
      volumes,
      networks: { ...networks, ...containers.networking },
      events,
      system,
      registry: registries.api,
      starters,
      close: () => (closing ??= unwind(undo, log)),
    };
  } catch (error) {
    await unwind(undo, log);
    throw toDrydockError(asFull(error, layout.home));
  }
}

/** Last opened, first closed; what fails does not keep the rest from closing. */
async function unwind(undo: (() => unknown)[], log: (line: string) => void): Promise<void> {
  for (const step of undo.reverse()) {
    try {
      await step();
    } catch (error) {
      log(`closing: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
