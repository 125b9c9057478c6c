import { containerInspectJson } from '../docker/wire/container.ts';
import { imageInspectJson } from '../docker/wire/image.ts';
import { serveDocker } from '../docker/listen.ts';
import { toDrydockError, type DrydockError } from '../base/errors.ts';
import type { EngineApi } from '../engine/api/index.ts';
import { openEngine } from '../engine/engine.ts';
import type { SettingsStore } from '../platform/settings.ts';
import { serveChannelPort, serveRpcPort, type PortLike } from '../rpc/port.ts';
import { createRouter } from '../rpc/router.ts';
import { Staging } from '../rpc/staging.ts';
import { join } from 'node:path';
import type { ProcessHost } from '../supervisor/api.ts';

export interface DesktopEngineOptions {
  readonly home: string;
  readonly socketPath: string;
  readonly dockerHost: string;
  /** dist/starters. */
  readonly starters: string;
  readonly version: string;
  readonly settings: SettingsStore;
  readonly processHost: ProcessHost;
  /** Remembers how to close what was opened. */
  closing(close: () => Promise<void>): Promise<void>;
  /** The docker CLI will not reach us; everything else works. */
  onNoSocket(error: DrydockError): void;
  log(line: string): void;
}

export interface DesktopEngine {
  readonly engine: EngineApi;
  /** What answers the page's ports. */
  readonly doors: { readonly rpc: (port: PortLike) => void; readonly channel: (port: PortLike) => void };
}

/**
 * Opens the same engine as headless, with the same router and the same Docker socket.
 * @throws conflict with the pid when another process has the home open
 */
export async function openDesktopEngine(options: DesktopEngineOptions): Promise<DesktopEngine> {
  const { home, socketPath, dockerHost, version, settings, processHost, closing, log } = options;
  const engine = await openEngine({ home, processHost, version, starters: options.starters });
  await closing(() => engine.close());

  const staging = new Staging(engine, join(home, 'tmp'));
  await closing(() => staging.close());

  try {
    const docker = await serveDocker(engine, { socketPath, version, log });
    await closing(() => docker.close());
  } catch (error) {
    options.onNoSocket(toDrydockError(error));
  }

  const router = createRouter({
    engine,
    staging,
    settings,
    dockerHost,
    home,
    inspectContainer: (view) => containerInspectJson(view),
    inspectImage: (view) => imageInspectJson(view),
    allowPaths: true,
  });
  return {
    engine,
    doors: { rpc: (port) => serveRpcPort(router, port), channel: (port) => serveChannelPort(engine, port) },
  };
}
