/** A part of a container's tree as entries of a tar. */
import type { Directory } from '../../../fs/directory.ts';
import type { MountTable } from '../../../fs/mount-table.ts';
import type { FileStat } from '../../../fs/stat.ts';
import type { PackEntry } from '../../images/pack-tar.ts';

/** Bytes read at a time; between two reads others have their turn. */
const CHUNK = 256 * 1024;

const common = (name: string, stat: FileStat) => ({
  name,
  mode: stat.mode,
  mtime: new Date(Number(stat.mtime / 1_000_000n)),
});

/** One file, link or directory with all that is in it, under the name it shall have; '' = a directory's content without itself. @throws FsError */
export async function* treeEntries(
  table: MountTable,
  at: Directory,
  path: string,
  name: string,
  follow: boolean,
): AsyncGenerator<PackEntry> {
  const stat = table.stat(at, path, { follow });
  switch (stat.kind) {
    case 'directory': {
      const opened = table.open(at, path, { read: true, write: false, follow, onlyDirectory: true });
      if (!('directory' in opened)) return;
      const { directory } = opened;
      try {
        if (name !== '') yield { ...common(name, stat), type: 'directory' };
        for (const child of table
          .list(directory)
          .map((entry) => entry.name)
          .sort())
          yield* present(treeEntries(table, directory, child, name === '' ? child : `${name}/${child}`, false));
      } finally {
        table.release(directory);
      }
      return;
    }
    case 'symlink':
      yield { ...common(name, stat), type: 'symlink', target: table.readLink(at, path) };
      return;
    case 'file': {
      const opened = table.open(at, path, { read: true, write: false, follow });
      if (!('file' in opened)) return;
      const { file } = opened;
      try {
        // What it is now: the tar must hold exactly as many bytes as it says.
        const size = Number(file.stat().size);
        yield { ...common(name, stat), type: 'file', size, read: () => contents(file, size) };
      } finally {
        file.close();
      }
      return;
    }
    default:
    // Devices, pipes and sockets mean nothing outside.
  }
}

/** Names that go while the tree is read are left out: the program runs on. */
async function* present(entries: AsyncGenerator<PackEntry>): AsyncGenerator<PackEntry> {
  try {
    yield* entries;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
}

/** Exactly `size` bytes: zeros stand for what was cut off meanwhile. */
async function* contents(
  file: { read(into: Uint8Array, offset: number, length: number, position: number): number },
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < size;) {
    const chunk = new Uint8Array(Math.min(CHUNK, size - position));
    const read = file.read(chunk, 0, chunk.length, position);
    yield read === 0 ? chunk : chunk.subarray(0, read);
    position += read === 0 ? chunk.length : read;
  }
}
