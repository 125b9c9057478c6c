import type { Filters, PruneResult } from './containers.ts';

export interface NetworkView {
  readonly id: string;
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly subnet: string;
  readonly gateway: string;
  readonly containers: readonly {
    readonly id: string;
    readonly name: string;
    readonly ipAddress: string;
    readonly macAddress: string;
  }[];
}

export interface NetworksApi {
  list(filters: Filters): readonly NetworkView[];
  /** By name, id or unique id prefix. notFound `network NAME not found`. */
  get(ref: string): NetworkView;
  create(request: {
    readonly name: string;
    readonly driver?: string;
    readonly internal?: boolean;
    readonly attachable?: boolean;
    readonly labels?: Readonly<Record<string, string>>;
    readonly options?: Readonly<Record<string, string>>;
    readonly subnet?: string;
    readonly gateway?: string;
  }): Promise<{ readonly id: string }>;
  remove(ref: string): Promise<void>;
  connect(ref: string, container: string, aliases: readonly string[]): Promise<void>;
  disconnect(ref: string, container: string, options: { readonly force: boolean }): Promise<void>;
  prune(filters: Filters): Promise<PruneResult>;
}
