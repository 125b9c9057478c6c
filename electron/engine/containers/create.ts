/** `docker create`: from a request and an image to a record on disk. */
import { randomBytes } from 'node:crypto';
import { nowNano } from '../../base/clock.ts';
import { unavailable } from '../../base/errors.ts';
import { formatTime } from '../../base/log-format.ts';
import type { ContainerSpec } from '../api/index.ts';
import { mergeConfig } from './config.ts';
import { networkSettings, networkWarnings, settledNetworkMode } from './connect.ts';
import { Container } from './container.ts';
import type { Context } from './context.ts';
import { healthWarnings } from './healthcheck.ts';
import { limitWarnings } from './limits.ts';
import { listenersOf } from './listeners.ts';
import { announce } from './transitions.ts';
import { refuseForWasmer } from './wasmer.ts';
import { settleMounts } from './mounts.ts';
import { portRequests, socketWarnings } from './ports.ts';
import { randomName } from './random-name.ts';
import { never, type ContainerRecord } from './record.ts';

/** @throws notFound (image), invalid, conflict (name), denied, full. Nothing is left when it throws. */
export async function create(
  context: Context,
  spec: ContainerSpec,
): Promise<{ readonly id: string; readonly warnings: readonly string[] }> {
  if (context.closing) throw unavailable('the engine is shutting down');
  const image = context.images.get(spec.image);
  const id = newId();
  const name = (spec.name ?? '').replace(/^\//, '') || randomName((candidate) => context.store.isTaken(candidate));
  context.store.reserve(id, name, { imageId: image.id, image: spec.image });
  try {
    const merged = mergeConfig(spec, image.config, id);
    const config = { ...merged, networkMode: settledNetworkMode(context, merged.networkMode) };
    refuseForWasmer(config, spec);
    const networks = networkSettings(context.networks, spec);
    portRequests(config);
    listenersOf(config.labels);
    const settled = needsMounts(spec, config.volumes)
      ? await settleMounts(context, id, image.id, spec, config)
      : undefined;
    const [path = '', ...args] = [...config.entrypoint, ...config.command];
    const warnings = [
      ...limitWarnings(config),
      ...networkWarnings(config),
      ...(await healthWarnings(context, image.id, config)),
      ...(await socketWarnings(context, image.id, path, config)),
    ];
    const record: ContainerRecord = {
      layout: 1,
      id,
      name,
      created: formatTime(nowNano()),
      imageId: image.id,
      path,
      args,
      config,
      mounts: settled?.mounts ?? [],
      networks,
      warnings,
      consoleSize: spec.consoleSize ?? [24, 80],
      state: 'created',
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: never,
      finishedAt: never,
      restartCount: 0,
      starts: 0,
      stoppedByUser: false,
    };
    let directory: string;
    try {
      directory = context.directories.create(record);
    } catch (error) {
      await settled?.undo();
      throw error;
    }
    const container = new Container(directory, record, 0);
    context.store.add(container);
    announce(context, container, 'create');
    return { id, warnings };
  } catch (error) {
    context.store.abandon(id, name);
    throw error;
  }
}

/** 64 hex digits whose short form is not a number: some tools would take it for one (moby: stringid). */
function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}

const needsMounts = (spec: ContainerSpec, volumes: readonly string[]): boolean =>
  volumes.length > 0 || (spec.mounts?.length ?? 0) > 0 || (spec.volumesFrom?.length ?? 0) > 0;
