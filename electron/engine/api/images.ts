import type { ModuleDescription } from '../../module/describe.ts';
import type { Filters, Healthcheck, PruneResult } from './containers.ts';
import type { RegistryAuth } from './registry.ts';

/** Of the OCI image config, what runs a container. Names as in the Docker API, in camel case. */
export interface ImageConfig {
  readonly env: readonly string[];
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly workingDir: string;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string | undefined;
  readonly healthcheck: Healthcheck | undefined;
  readonly onBuild: readonly string[];
  readonly shell: readonly string[] | undefined;
}

export interface ImageView {
  /** sha256:… of the config. */
  readonly id: string;
  /** Short form: "t:latest". */
  readonly repoTags: readonly string[];
  /** "t@sha256:…". */
  readonly repoDigests: readonly string[];
  /** RFC 3339; '' when the config has none. */
  readonly created: string;
  readonly author: string;
  readonly comment: string;
  readonly architecture: string;
  readonly os: string;
  /** Bytes, uncompressed. */
  readonly size: number;
  readonly config: ImageConfig;
  /** diffIDs. */
  readonly layers: readonly string[];
  readonly parent: string;
  /** RFC 3339, when last tagged. */
  readonly lastTagTime: string;
  /** Digests of blobs that are missing, because they were found damaged. Absent or empty = none: the image is whole. */
  readonly damage?: readonly string[];
}

export interface HistoryEntry {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly createdBy: string;
  readonly tags: readonly string[];
  readonly size: number;
  readonly comment: string;
}

export interface BuildOptions {
  readonly dockerfile: string;
  /** Normalised or short references. */
  readonly tags: readonly string[];
  /** null = as if it had not been given, but for the warning (`--build-arg NAME` of a variable that is not set). */
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly platform?: string | undefined;
  /** For base images that are pulled: by the registry's address as `docker login` keeps it. 'stored' = as for any pull of the window. */
  readonly registryAuth?: Readonly<Record<string, RegistryAuth>> | 'stored' | undefined;
  /** Of RUN: 'default', 'none', 'host', `container:X`, or a network's name or id. Absent = 'default'. */
  readonly network?: string | undefined;
  /** `name:address`, known to RUN. */
  readonly extraHosts?: readonly string[] | undefined;
  /** Bytes of memory that a program of RUN may have; 0 or absent = as much as it declares. */
  readonly memory?: number | undefined;
  /** Time of CPUs that a program of RUN may use, in billionths of one; 0 or absent = all there is. */
  readonly nanoCpus?: number | undefined;
  /** Descriptors that a program of RUN may have open; 0 or absent = as for a container. */
  readonly openFiles?: number | undefined;
}

/** One instruction of a build. Said when it is begun, without `cached` and `milliseconds`, and again when it is done. A step that fails has no end. */
export interface BuildStep {
  readonly type: 'step';
  /** 1…total, as in `Step 1/6`. Triggers of ONBUILD belong to their FROM. */
  readonly index: number;
  readonly total: number;
  /** The instruction as written, continued lines joined. */
  readonly text: string;
  /** Of the Dockerfile, where it begins; 0 = it comes from the options. */
  readonly line: number;
  /** Name or number of its stage; '' before the first FROM. */
  readonly stage: string;
  /** Nothing had to be made. */
  readonly cached?: boolean;
  readonly milliseconds?: number;
}

export type BuildEvent =
  /** Text as `docker build` shows it. */
  | { readonly type: 'stream'; readonly text: string }
  | BuildStep
  | { readonly type: 'image'; readonly id: string }
  /** Of a base image that was not here. */
  | { readonly type: 'pull'; readonly event: PullEvent };

export type DeletedImage = { readonly untagged: string } | { readonly deleted: string };

/**
 * Of a pull, in order: `begin` once the manifest is known, then the layers side by side, then `digest` and `done`. `id` is the layer's digest.
 */
export type PullEvent =
  | { readonly type: 'begin'; readonly repository: string; readonly tag: string }
  | {
      readonly type: 'layer';
      readonly id: string;
      readonly state: 'pulling' | 'waiting' | 'verifying' | 'downloaded' | 'complete' | 'exists';
    }
  /** At most ten a second for each layer. Bytes. */
  | {
      readonly type: 'layer';
      readonly id: string;
      readonly state: 'downloading' | 'extracting';
      readonly current: number;
      readonly total: number;
    }
  /** A download that broke goes on after this many milliseconds. */
  | { readonly type: 'layer'; readonly id: string; readonly state: 'retrying'; readonly after: number }
  | { readonly type: 'digest'; readonly digest: string }
  /** `isNew`: false when everything was here already. `image`: its id. */
  | { readonly type: 'done'; readonly reference: string; readonly image: string; readonly isNew: boolean };

/** Of a push, in order: `begin`, then the layers side by side, then `done`; once for each tag. `id` is the layer's diffID. */
export type PushEvent =
  | { readonly type: 'begin'; readonly repository: string }
  | { readonly type: 'layer'; readonly id: string; readonly state: 'preparing' | 'waiting' | 'pushed' | 'exists' }
  | {
      readonly type: 'layer';
      readonly id: string;
      readonly state: 'pushing';
      readonly current: number;
      readonly total: number;
    }
  /** The registry took it from another of its repositories. */
  | { readonly type: 'layer'; readonly id: string; readonly state: 'mounted'; readonly from: string }
  | { readonly type: 'layer'; readonly id: string; readonly state: 'retrying'; readonly after: number }
  | { readonly type: 'done'; readonly tag: string; readonly digest: string; readonly size: number };

/** What a push sends: a Docker-style image, or a CNCF Wasm artifact (its module and nothing else). */
export type PushFormat = 'image' | 'artifact';

/** Whose name a transfer is made in: as given, as kept by `docker login` or the window ('stored'), or nobody's. */
export type TransferAuth = RegistryAuth | 'stored' | undefined;

export interface PullOptions {
  /** `os/architecture[/variant]` or `wasm`; undefined = what runs here. */
  readonly platform?: string | undefined;
  readonly auth?: TransferAuth;
  /** All tags of the repository; then `ref` has none. */
  readonly allTags?: boolean | undefined;
}

/** A step of a build that is kept so that it need not be done again. */
export interface BuildCacheRecord {
  readonly id: string;
  /** '' = none. */
  readonly parent: string;
  /** The instruction. */
  readonly description: string;
  /** RFC 3339; '' = unknown. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  /** A build that is under way stands on it. */
  readonly inUse: boolean;
  /** An image that is on the list was built on it. */
  readonly shared: boolean;
  /** Bytes of layers that neither an image nor an earlier step has. */
  readonly size: number;
}

/** Sizes in bytes, of the files in layers where nothing else is said. */
export interface ImagesUsage {
  /** All layers of images, each once. */
  readonly layersSize: number;
  readonly images: readonly { readonly image: ImageView; readonly sharedSize: number; readonly containers: number }[];
  readonly buildCache: readonly BuildCacheRecord[];
  /** What images and build cache really take on the disk: blobs as they are packed, and root directories. */
  readonly onDisk: number;
}

/** Something that a check has found, or that nothing is known of but its name. */
export interface CheckFinding {
  readonly kind: 'blob' | 'image' | 'snapshot';
  /** Digest of a blob, id or name of an image, hash of a snapshot's chain. */
  readonly subject: string;
  /** Names (ids where there are none) of the images that it is a part of. */
  readonly images: readonly string[];
  /** A sentence. */
  readonly problem: string;
  /** What to do; '' = nothing. */
  readonly hint: string;
  /** It was put right at once. */
  readonly repaired: boolean;
  /** `repair` of one of `images` may put it right. */
  readonly repairable: boolean;
}

/** Of a check, in order: `begin`, then progress (at most ten a second) and findings, then `done`. Sizes in bytes. */
export type CheckEvent =
  | { readonly type: 'begin'; readonly blobs: number; readonly images: number; readonly total: number }
  | { readonly type: 'progress'; readonly current: number; readonly total: number }
  | { readonly type: 'finding'; readonly finding: CheckFinding }
  | {
      readonly type: 'done';
      readonly blobs: number;
      readonly images: number;
      readonly snapshots: number;
      readonly total: number;
      readonly findings: number;
      /** Findings that were not put right. */
      readonly open: number;
    };

/** Of a repair: `blob` for each that is fetched, with its bytes so far, then `done`. */
export type RepairEvent =
  | {
      readonly type: 'blob';
      readonly digest: string;
      readonly from: string;
      readonly current: number;
      readonly total: number;
    }
  | { readonly type: 'done'; readonly image: string; readonly fetched: readonly string[] };

/** One image of an archive, once for each of its names. */
export interface LoadedImage {
  readonly id: string;
  /** "t:latest"; absent when it has none. */
  readonly reference?: string;
}

/** What the window needs of the module in an image. */
export interface ImageModule {
  /** Guest path. */
  readonly path: string;
  readonly digest: string;
  readonly description: ModuleDescription;
}

/** `ref`: name[:tag], name@digest, full id or unique id prefix. Unknown → notFound `No such image: name:tag`. */
export interface ImagesApi {
  list(options: { readonly all: boolean; readonly filters: Filters }): readonly ImageView[];
  get(ref: string): ImageView;
  history(ref: string): readonly HistoryEntry[];
  tag(ref: string, target: string): Promise<void>;
  remove(ref: string, options: { readonly force: boolean; readonly prune: boolean }): Promise<readonly DeletedImage[]>;
  prune(filters: Filters): Promise<PruneResult>;
  /** `docker builder prune`. `keep`: bytes of the newest that stay; 0 = none. @throws invalid */
  pruneBuildCache(options: {
    readonly all: boolean;
    readonly keep: number;
    readonly filters: Filters;
  }): Promise<PruneResult>;
  usage(): Promise<ImagesUsage>;
  /** `context` is a tar, plain or gzip. Errors of the Dockerfile itself reject before the first event; a failing step throws from the iteration. */
  build(options: BuildOptions, context: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncIterable<BuildEvent>;
  /** A bare .wasm becomes an image: one layer with /NAME.wasm, entrypoint set, platform wasi/wasm. Refuses what is not a module. */
  importModule(
    bytes: AsyncIterable<Uint8Array>,
    options: { readonly fileName: string; readonly reference: string },
  ): Promise<ImageView>;
  /** `docker save`: an OCI image layout that is a docker-archive too. A bare name means all its tags. @throws notFound before the first byte */
  save(refs: readonly string[]): AsyncIterable<Uint8Array>;
  /** `docker load`: an OCI image layout or docker-archive, plain, gzip or zstd. Images that came before an error stay. */
  load(tar: AsyncIterable<Uint8Array>): AsyncIterable<LoadedImage>;
  /** `docker import`: a root file system (tar, plain, gzip or zstd) as an image. `platform` '' = wasi/wasm, `reference` '' = no name. */
  importRoot(
    tar: AsyncIterable<Uint8Array>,
    options: {
      readonly reference: string;
      readonly message: string;
      readonly changes: readonly string[];
      readonly platform: string;
    },
  ): Promise<ImageView>;
  /**
   * `docker pull`. Errors before the first event mean that nothing was begun; the signal ends it and what was complete of layers stays for nobody.
   * @throws notFound, unauthorized, denied, unavailable, damaged, unsupported, invalid, full, cancelled
   */
  pull(ref: string, options: PullOptions, signal?: AbortSignal): AsyncIterable<PullEvent>;
  /** `docker push`: without a tag all tags of the repository. @throws as `pull` */
  push(ref: string, options: { readonly auth?: TransferAuth }, signal?: AbortSignal): AsyncIterable<PushEvent>;
  /**
   * Reads everything that is stored and compares it with what it is called: blobs with their digests (in turns, so that nobody waits), layers with their
   * diffIDs, images with their parts, root directories with what they looked like when they were made. What does not verify is put aside (HOME/content/quarantine) and its
   * images are damaged from then on: listed, but not usable. Root directories are made anew. @throws conflict when a check is under way, cancelled
   */
  check(signal?: AbortSignal): AsyncIterable<CheckEvent>;
  /** Fetches what a damaged image lacks, and no more, from the registries of its names. @throws notFound, unavailable when no registry has it; as `pull` */
  repair(ref: string, options: { readonly auth?: TransferAuth }, signal?: AbortSignal): AsyncIterable<RepairEvent>;
  /** Chooses what pushes under this name send; undefined = the image as it is stored. Kept with the name. @throws notFound */
  setPushFormat(ref: string, format: PushFormat | undefined): Promise<void>;
  /** What was chosen for this name. @throws notFound */
  pushFormat(ref: string): PushFormat | undefined;
  /** What a .wasm file on the host is (engine/images/describe.ts), before it becomes an image; errors call it `fileName`. @throws invalid when it is not a module */
  describe(
    path: string,
    fileName: string,
  ): Promise<{ readonly digest: string; readonly description: ModuleDescription }>;
  /** The module that the image's entrypoint names. */
  module(ref: string): Promise<ImageModule>;
  /** Absolute host path of the merged, read-only root file system; kept while somebody uses it. */
  snapshot(id: string): Promise<string>;
}
