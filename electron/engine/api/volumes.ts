import type { Filters, PruneResult } from './containers.ts';

export interface VolumeView {
  readonly name: string;
  readonly driver: 'local';
  /** Host path. */
  readonly mountpoint: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
}

export interface VolumesApi {
  list(filters: Filters): readonly VolumeView[];
  /** Idempotent for the same name; '' = 64 hex. */
  create(request: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly options?: Readonly<Record<string, string>>;
    readonly driver?: string;
  }): Promise<VolumeView>;
  /** notFound `get NAME: no such volume`. */
  get(name: string): VolumeView;
  remove(name: string, options: { readonly force: boolean }): Promise<void>;
  prune(filters: Filters, options: { readonly all: boolean }): Promise<PruneResult>;
}
