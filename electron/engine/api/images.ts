import type { ModuleDescription } from '../../module/describe.ts';
import type { Filters, Healthcheck, PruneResult } from './containers.ts';

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
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly platform?: string | undefined;
}

export type BuildEvent =
  /** Text as `docker build` shows it. */
  { readonly type: 'stream'; readonly text: string } | { readonly type: 'image'; readonly id: string };

export type DeletedImage = { readonly untagged: string } | { readonly deleted: string };

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
  /** `context` is a tar, plain or gzip. Errors of the Dockerfile itself reject before the first event; a failing step throws from the iteration. */
  build(options: BuildOptions, context: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncIterable<BuildEvent>;
  /** A bare .wasm becomes an image: one layer with /NAME.wasm, entrypoint set, platform wasi/wasm. Refuses what is not a module. */
  importModule(
    bytes: AsyncIterable<Uint8Array>,
    options: { readonly fileName: string; readonly reference: string },
  ): Promise<ImageView>;
  /** `docker save`: an OCI image layout that is a docker-archive too. A bare name means all its tags. @throws notFound before the first byte */
  save(refs: readonly string[]): AsyncIterable<Uint8Array>;
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
