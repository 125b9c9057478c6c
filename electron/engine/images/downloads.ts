import { cancelled, damaged, DrydockError } from '../../base/errors.ts';
import type { Content, Lease } from './content.ts';
import type { Descriptor } from './oci.ts';

/** What happens to one blob on its way, for everybody who waits for it. */
export type DownloadNote =
  { readonly kind: 'bytes'; readonly current: number } | { readonly kind: 'retry'; readonly after: number };

/** Opens the source of a blob; called at most once for all who wait for it. */
export type OpenBlob = (signal: AbortSignal, onRetry: (after: number) => void) => AsyncIterable<Uint8Array>;

interface Running {
  readonly done: Promise<void>;
  readonly listeners: Set<(note: DownloadNote) => void>;
  readonly abort: AbortController;
  readonly lease: Lease;
  waiting: number;
}

/**
 * Blobs that are on their way into the content store, each once, however many pulls want it. A download lives as long as anybody waits for it: the
 * first to ask opens it, the last to leave ends it.
 */
export class Downloads {
  readonly #content: Content;
  readonly #running = new Map<string, Running>();

  constructor(content: Content) {
    this.#content = content;
  }

  /**
   * Waits until the blob is in the store and held by `lease`. The caller has seen that it is not there yet.
   * @throws what the source throws, damaged for other bytes than the digest's, cancelled when `signal` says so
   */
  async fetch(
    blob: Descriptor,
    lease: Lease,
    open: OpenBlob,
    listen: (note: DownloadNote) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (;;) {
      const joined = this.#running.get(blob.digest);
      const running = joined ?? this.#start(blob, open);
      running.listeners.add(listen);
      running.waiting++;
      try {
        await orAborted(running.done, signal);
        lease.keep(blob.digest);
        return;
      } catch (error) {
        // Another's download may have failed by what is not our trouble, such as a log-in: then we try ourselves.
        if (!joined || signal?.aborted) throw error;
      } finally {
        running.listeners.delete(listen);
        if (--running.waiting === 0) {
          running.abort.abort();
          await running.lease.end();
        }
      }
    }
  }

  #start(blob: Descriptor, open: OpenBlob): Running {
    const listeners = new Set<(note: DownloadNote) => void>();
    const tell = (note: DownloadNote): void => {
      for (const listener of listeners) listener(note);
    };
    const abort = new AbortController();
    const lease = this.#content.lease();
    const done = lease
      .put(
        counted(
          open(abort.signal, (after) => tell({ kind: 'retry', after })),
          tell,
        ),
        { digest: blob.digest },
      )
      .then(() => undefined)
      .catch((error: unknown) => {
        if (
          error instanceof DrydockError &&
          error.data['received'] !== undefined &&
          error.data['expected'] !== undefined
        )
          throw damaged(
            `filesystem layer verification failed for digest ${blob.digest}: the registry sent ${String(error.data['received'])}`,
            {
              hint: 'Nothing of it was kept. Try again; if it happens again, the registry or something on the way is damaged.',
              data: error.data,
              cause: error,
            },
          );
        throw error;
      })
      .finally(() => this.#running.delete(blob.digest));
    done.catch(() => undefined);
    const running: Running = { done, listeners, abort, lease, waiting: 0 };
    this.#running.set(blob.digest, running);
    return running;
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  tell: (note: DownloadNote) => void,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of source) {
    current += chunk.length;
    tell({ kind: 'bytes', current });
    yield chunk;
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(cancelled('the pull was cancelled'));
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
