import { pack as newPack, type Header, type Pack } from 'tar-stream';

/** One entry of a tar to be made. `name` has no leading slash. */
export interface PackEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  /** Permission bits. */
  readonly mode: number;
  readonly mtime: Date;
  /** Files only; exactly what `read` gives. */
  readonly size?: number;
  readonly read?: () => AsyncIterable<Uint8Array>;
  /** Links only. */
  readonly target?: string;
}

/**
 * The entries as a tar, with backpressure. The same entries give the same bytes: owner 0:0, no names, times in whole seconds. An error of theirs is
 * thrown from here as it is.
 */
export async function* packTar(
  entries: AsyncIterable<PackEntry> | Iterable<PackEntry>,
  packed: (entry: PackEntry) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const pack = newPack({ highWaterMark: 512 * 1024 });
  pack.on('error', () => undefined);
  // Taken before the first entry: a stream that is destroyed before somebody reads never ends.
  const chunks = (pack as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let failure: { readonly error: unknown } | undefined;
  const fill = async (): Promise<void> => {
    for await (const entry of entries) {
      if (pack.destroyed) return;
      packed(entry);
      await packEntry(pack, entry);
    }
    pack.finalize();
  };
  const filled = fill().catch((error: unknown) => {
    failure ??= { error };
    pack.destroy(error as Error);
  });
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  } catch (error) {
    throw failure ? failure.error : error;
  } finally {
    pack.destroy();
    await filled;
  }
  // Destroyed without being finalized: it must not pass for a whole tar.
  if (failure) throw failure.error;
}

async function packEntry(pack: Pack, entry: PackEntry): Promise<void> {
  const header: Partial<Header> & Pick<Header, 'name'> = {
    name: entry.type === 'directory' ? `${entry.name}/` : entry.name,
    type: entry.type,
    mode: entry.mode & 0o7777,
    mtime: new Date(Math.floor(entry.mtime.getTime() / 1000) * 1000),
    uid: 0,
    gid: 0,
    size: entry.size ?? 0,
    ...(entry.target !== undefined && { linkname: entry.target }),
  };
  const { read } = entry;
  if (!entry.size || !read) {
    await new Promise<void>((resolve, reject) => {
      pack.entry(header, '', (error) => (error ? reject(error) : resolve()));
    });
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const sink = pack.entry(header, (error) => (error ? reject(error) : resolve()));
    pour(read(), sink).catch((error: unknown) => {
      reject(error as Error);
      sink.destroy(error as Error);
    });
  });
}

/** Writes with backpressure; stops when the sink is closed by an error of its own, which its callback reports. */
async function pour(source: AsyncIterable<Uint8Array>, sink: ReturnType<Pack['entry']>): Promise<void> {
  let closed = false;
  let wake = (): void => undefined;
  sink.on('drain', () => wake());
  sink.on('error', () => undefined);
  sink.on('close', () => {
    closed = true;
    wake();
  });
  for await (const chunk of source) {
    if (closed) return;
    if (!sink.write(chunk) && !closed) await new Promise<void>((resolve) => (wake = resolve));
  }
  sink.end(null);
}
