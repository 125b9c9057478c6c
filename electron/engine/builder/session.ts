import { cancelled } from '../../base/errors.ts';
import type { BuildEvent, BuildOptions, PullEvent, PullOptions } from '../api/images.ts';
import type { Content, Lease } from '../images/content.ts';
import type { StoredImage } from '../images/image.ts';
import type { Snapshots } from '../images/snapshots.ts';
import type { ImageStore } from '../images/store.ts';
import type { Temporary } from '../images/temporary.ts';
import type { Transport } from '../registry/transport.ts';
import type { ProgramRunner } from './run.ts';

/** What a build needs of the image store; images.ts supplies it. */
export interface BuilderWorld {
  readonly content: Content;
  readonly store: ImageStore;
  readonly snapshots: Snapshots;
  readonly temporary: Temporary;
  /** @throws notFound */
  readonly find: (ref: string) => StoredImage;
  /** Fetches what is not here; undefined where there are no registries. */
  readonly pull?: ((ref: string, options: PullOptions, signal?: AbortSignal) => AsyncIterable<PullEvent>) | undefined;
  /** @throws invalid */
  readonly tagName: (target: string) => string;
  readonly name: (image: StoredImage, full: string) => Promise<void>;
  readonly built: (image: StoredImage, label: string) => void;
  readonly runProgram: ProgramRunner | undefined;
  /** For ADD; without it nothing is downloaded. */
  readonly transport?: Transport | undefined;
}

/** One build: what all its parts share. */
export interface Session {
  readonly world: BuilderWorld;
  readonly options: BuildOptions;
  /** Ended with the build. */
  readonly lease: Lease;
  /** Removed with the build. */
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
}

/** The same entries, until the build is cancelled. @throws cancelled */
export async function* cancellable<T>(signal: AbortSignal | undefined, entries: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const entry of entries) {
    if (signal?.aborted) throw cancelled('the build was cancelled');
    yield entry;
  }
}

export const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
export const text = (line: string): BuildEvent => ({ type: 'stream', text: line });
