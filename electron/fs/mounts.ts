import type { QuotaSpec } from './quota.ts';

/** What a container's file system is made of: plain values, sent from the engine to the runner. */

/** The root: a read-only directory (the image's snapshot) under a writable one (the container's upper). OCI whiteouts (`.wh.`). */
export interface OverlayMount {
  readonly type: 'overlay';
  readonly target: '/';
  /** Absolute host path of the merged, immutable snapshot of the image. */
  readonly lower: string;
  /** Absolute host path of the container's own changes. */
  readonly upper: string;
  readonly readOnly: boolean;
  /** Limits what the upper holds; absent = the disk does. */
  readonly quota?: QuotaSpec;
}

/** A directory or single file of the host, or a named volume's directory. */
export interface BindMount {
  readonly type: 'bind';
  readonly target: string;
  readonly source: string;
  readonly readOnly: boolean;
}

/** Memory only; gone when the instance ends. `size` in bytes; absent = half a GiB. */
export interface TmpfsMount {
  readonly type: 'tmpfs';
  readonly target: string;
  readonly size?: number;
  readonly mode?: number;
  readonly readOnly: boolean;
}

/** Exactly one overlay at '/', the rest by absolute guest path (no '..', no trailing slash). */
export type MountSpec = OverlayMount | BindMount | TmpfsMount;
