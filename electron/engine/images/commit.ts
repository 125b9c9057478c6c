import type { ContainerConfig } from '../api/containers.ts';
import type { Content } from './content.ts';
import type { StoredImage } from './image.ts';
import { writeLayer, type LayerEntry } from './layer-writer.ts';
import type { ImageConfigFile, RuntimeConfig } from './oci.ts';
import type { ImageStore } from './store.ts';

/** What `containers/commit.ts` asks for. */
export interface CommitRequest {
  /** Id of the container's image. */
  readonly base: string;
  readonly config: ContainerConfig;
  /** Shown by `history`: what the container ran. */
  readonly createdBy: string;
  /** What the container changed, whiteouts and all. */
  readonly entries: AsyncIterable<LayerEntry>;
  /** '' = no name. */
  readonly reference: string;
  readonly author: string;
  readonly comment: string;
  readonly changes: readonly string[];
}

const keys = (names: readonly string[]): Readonly<Record<string, object>> =>
  Object.fromEntries(names.map((name) => [name, {}]));

/** A container's configuration as an image carries it; what is empty is left out. */
export function runtimeOf(config: ContainerConfig): RuntimeConfig {
  const { healthcheck } = config;
  return {
    ...(config.user !== '' && { User: config.user }),
    ...(config.exposedPorts.length > 0 && { ExposedPorts: keys(config.exposedPorts) }),
    Env: config.env,
    ...(config.entrypoint.length > 0 && { Entrypoint: config.entrypoint }),
    ...(config.command.length > 0 && { Cmd: config.command }),
    ...(config.volumes.length > 0 && { Volumes: keys(config.volumes) }),
    WorkingDir: config.workingDir,
    ...(Object.keys(config.labels).length > 0 && { Labels: config.labels }),
    ...(config.stopSignal !== '' && { StopSignal: config.stopSignal }),
    ...(healthcheck && {
      Healthcheck: {
        Test: healthcheck.test,
        Interval: healthcheck.interval,
        Timeout: healthcheck.timeout,
        StartPeriod: healthcheck.startPeriod,
        ...(healthcheck.startInterval ? { StartInterval: healthcheck.startInterval } : {}),
        Retries: healthcheck.retries,
      },
    }),
  };
}

type NewCommit = Pick<CommitRequest, 'entries' | 'createdBy' | 'author' | 'comment'> & {
  /** The image that the container was made from. */
  readonly base: StoredImage;
  readonly runtime: RuntimeConfig;
};

/** `docker commit` (moby: daemon/commit.go): the base's layers, the changes as one more, the configuration given. @throws full, damaged */
export async function commitImage(
  { content, store }: { readonly content: Content; readonly store: ImageStore },
  { base, entries, runtime, author, comment, createdBy }: NewCommit,
): Promise<StoredImage> {
  const lease = content.lease();
  try {
    for (const layer of base.manifest.layers) lease.keep(layer.digest);
    const layer = await writeLayer(lease, entries);
    const created = new Date().toISOString();
    const config: ImageConfigFile = {
      ...base.config,
      created,
      ...(author !== '' && { author }),
      ...(comment !== '' && { comment }),
      config: runtime,
      rootfs: { type: 'layers', diff_ids: [...base.config.rootfs.diff_ids, layer.descriptor.digest] },
      history: [
        ...(base.config.history ?? []),
        { created, created_by: createdBy, ...(author !== '' && { author }), ...(comment !== '' && { comment }) },
      ],
    };
    const [image] = await store.add(lease, [
      {
        config,
        layers: [...base.manifest.layers, layer.descriptor],
        facts: { parent: base.id, layerSizes: [...base.facts.layerSizes, layer.size] },
      },
    ]);
    return image as StoredImage;
  } finally {
    await lease.end();
  }
}
