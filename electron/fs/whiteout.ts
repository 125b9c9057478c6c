import { createHash } from 'node:crypto';
import { encodeName, nameLength } from './name-bytes.ts';

/**
 * OCI's marks in a changed directory (image-spec, layer.md, "Whiteouts"): `.wh.NAME` hides NAME of the layers below, `.wh..wh..opq` hides all of
 * them. Names that begin with `.wh..wh.` and are no opaque mark are this program's unfinished work (a copy being made); they are no changes.
 */
export const WHITEOUT = '.wh.';
export const OPAQUE = '.wh..wh..opq';
const WORK = '.wh..wh.';

/** What a file system takes as a name, in bytes. */
const LONGEST = 255;
const LONG = '.wh..wh.long.';

/** A name that is too long to stand in a mark has one with its hash, and in the file the name. In a layer it is an ordinary whiteout (`upperEntries`). */
export const whiteoutOf = (name: string): string =>
  nameLength(name) + WHITEOUT.length <= LONGEST
    ? WHITEOUT + name
    : LONG + createHash('sha256').update(encodeName(name)).digest('hex');

export const isLongWhiteout = (name: string): boolean => name.startsWith(LONG);

/** True for names that are marks or unfinished work: guests neither see nor make them. */
export const isMark = (name: string): boolean => name.startsWith(WHITEOUT);

/** The name that a whiteout hides; undefined for every other name. */
export function hiddenBy(name: string): string | undefined {
  return name.startsWith(WHITEOUT) && !name.startsWith(WORK) ? name.slice(WHITEOUT.length) : undefined;
}

let counter = 0;

/** A name for something that is being made and is renamed when it is whole. */
export const workName = (): string => `${WORK}${process.pid}-${counter++}-${Math.random().toString(36).slice(2, 8)}`;
