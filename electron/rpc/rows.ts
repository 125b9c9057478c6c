import { DrydockError } from '../base/errors.ts';
import type { ContainerRow } from '../contract/containers.ts';
import type { ImageRow } from '../contract/images.ts';
import type { EngineSummary } from '../contract/system.ts';
import type { ContainerView, DiskUsage, EngineApi, ImageView, PublishedPort } from '../engine/api/index.ts';

/** RFC 3339 → milliseconds since the epoch; Docker's "0001-01-01T00:00:00Z" and '' mean never: 0. */
export function milliseconds(time: string): number {
  const value = Date.parse(time);
  return value > 0 ? value : 0;
}

/** Open at 0.0.0.0 and at ::, as ports are that name no address, is one of '' (any address). */
function shownOnce(ports: ContainerView['ports']): ContainerRow['ports'] {
  const twin = ({ hostIp, ...rest }: PublishedPort): string =>
    `${hostIp === '0.0.0.0' ? '::' : hostIp} ${JSON.stringify(rest)}`;
  const groups = [...Map.groupBy(ports, twin).values()];
  return groups.flatMap(([first, second]) => (first ? { ...first, hostIp: second ? '' : first.hostIp } : []));
}

/** What is open on the host; of a container that does not run what it asks for, with 0 for a host port that is chosen at the start. */
function portsOf({ ports, config }: ContainerView): ContainerRow['ports'] {
  if (ports.length > 0) return shownOnce(ports);
  return Object.entries(config.portBindings).flatMap(([key, hosts]) => {
    const [port = '', protocol = 'tcp'] = key.split('/');
    return hosts.map(({ hostIp, hostPort }) => ({
      hostIp,
      hostPort: Number(hostPort) || 0,
      port: Number(port),
      protocol,
    }));
  });
}

/** A container as the list shows it. */
export function containerRowOf(view: ContainerView): ContainerRow {
  const { config } = view;
  return {
    id: view.id,
    name: view.name,
    image: config.image,
    imageId: view.imageId,
    command: [view.path, ...view.args].join(' '),
    state: view.state,
    exitCode: view.exitCode,
    error: view.error,
    oomKilled: view.oomKilled,
    ...(view.health ? { health: view.health.status } : {}),
    createdAt: milliseconds(view.created),
    startedAt: milliseconds(view.startedAt),
    finishedAt: milliseconds(view.finishedAt),
    restartCount: view.restartCount,
    labels: { ...config.labels },
    ports: portsOf(view),
    tty: config.tty,
    openStdin: config.openStdin,
    memoryLimit: config.memory,
    cpuLimit: config.nanoCpus / 1e9,
    ...(config.pidsLimit ? { threadLimit: config.pidsLimit } : {}),
    ...(config.storageSize ? { diskLimit: config.storageSize } : {}),
  };
}

/** An image as the list shows it. @param usedBy ids of the containers made from it */
export function imageRowOf(view: ImageView, usedBy: readonly string[]): ImageRow {
  return {
    id: view.id,
    tags: [...view.repoTags],
    createdAt: milliseconds(view.created),
    size: view.size,
    os: view.os,
    architecture: view.architecture,
    labels: { ...view.config.labels },
    usedBy: [...usedBy],
    ...(view.damage?.length ? { damaged: true } : {}),
  };
}

const everything = { all: true, filters: new Map<string, readonly string[]>() };

export const containerRows = (engine: EngineApi): ContainerRow[] =>
  engine.containers.list(everything).map(containerRowOf);

/** The row of one container, or undefined when it is gone. */
export function containerRow(engine: EngineApi, id: string): ContainerRow | undefined {
  try {
    return containerRowOf(engine.containers.get(id));
  } catch (error) {
    if (error instanceof DrydockError && error.kind === 'notFound') return undefined;
    throw error;
  }
}

/** Tagged and dangling images (not the builder's intermediate ones). */
export function imageRows(engine: EngineApi): ImageRow[] {
  const users = Map.groupBy(engine.containers.list(everything), (container) => container.imageId);
  return engine.images.list({ all: false, filters: new Map() }).map((image) =>
    imageRowOf(
      image,
      (users.get(image.id) ?? []).map((container) => container.id),
    ),
  );
}

/** The status bar. @param disk bytes used by the home, from `diskBytes` */
export function summaryOf(engine: EngineApi, where: { dockerHost: string; home: string }, disk: number): EngineSummary {
  const info = engine.system.info();
  return {
    version: info.version,
    dockerHost: where.dockerHost,
    home: where.home,
    running: info.containers.running,
    total: info.containers.total,
    images: info.images,
    disk,
    cpus: info.cpus,
    memoryTotal: info.memoryTotal,
    platform: `${info.os}/${info.architecture}`,
  };
}

/** Bytes on the disk: images, writable layers and volumes. */
export function diskBytes(usage: DiskUsage): number {
  return (
    usage.onDisk +
    usage.containers.reduce((sum, { sizeRw }) => sum + sizeRw, 0) +
    usage.volumes.reduce((sum, { size }) => sum + Math.max(0, size), 0)
  );
}
