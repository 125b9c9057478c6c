import { damaged } from '../../base/errors.ts';

/** The JSON of the OCI image spec (opencontainers/image-spec v1.1), as far as it is read here; unknown keys are kept, never judged. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where the bytes of a foreign layer lie. */
  readonly urls?: readonly string[];
  /** In an index. */
  readonly platform?: PlatformRecord;
  readonly artifactType?: string;
}

/** `platform` of an entry in an index. */
export interface PlatformRecord {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** `config` of an image config: the keys as Docker writes them. */
export interface RuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly OnBuild?: readonly string[] | null;
  readonly Shell?: readonly string[] | null;
  /** Durations in nanoseconds. */
  readonly Healthcheck?: {
    readonly Test?: readonly string[];
    readonly Interval?: number;
    readonly Timeout?: number;
    readonly StartPeriod?: number;
    readonly StartInterval?: number;
    readonly Retries?: number;
  } | null;
}

export interface HistoryRecord {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** The config: its sha256 is the image's id. */
export interface ImageConfigFile {
  readonly created?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly architecture: string;
  readonly os: string;
  readonly config?: RuntimeConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
  readonly history?: readonly HistoryRecord[];
}

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/** Checks the shape of stored JSON once, at the edge. @throws damaged naming `what` */
export function parseManifest(text: string, what: string): Manifest {
  const value = parseObject(text, what);
  const { config, layers } = value;
  if (!isDescriptor(config) || !Array.isArray(layers) || !layers.every(isDescriptor))
    throw damaged(`${what} is not an image manifest`);
  return value as unknown as Manifest;
}

/** The entries of an index or manifest list. @throws damaged naming `what` */
export function parseIndex(text: string, what: string): readonly Descriptor[] {
  const { manifests } = parseObject(text, what);
  if (!Array.isArray(manifests) || !manifests.every(isDescriptor)) throw damaged(`${what} is not an image index`);
  return manifests as Descriptor[];
}

/** @throws damaged naming `what` */
export function parseConfig(text: string, what: string): ImageConfigFile {
  const value = parseObject(text, what);
  const rootfs = value['rootfs'] as { diff_ids?: unknown } | undefined;
  if (!Array.isArray(rootfs?.diff_ids) || !rootfs.diff_ids.every((id) => typeof id === 'string'))
    throw damaged(`${what} is not an image config: it lists no layers`);
  return value as unknown as ImageConfigFile;
}

function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(`${what} is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw damaged(`${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

function isDescriptor(value: unknown): value is Descriptor {
  const { digest, size, mediaType } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof digest === 'string' &&
    /^sha256:[0-9a-f]{64}$/.test(digest) &&
    typeof size === 'number' &&
    typeof mediaType === 'string'
  );
}
