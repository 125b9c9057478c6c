/**
 * OCI's marks in a changed directory (image-spec, layer.md, "Whiteouts"): `.wh.NAME` hides NAME of the layers below, `.wh..wh..opq` hides all of
 * them. Names that begin with `.wh..wh.` and are no opaque mark are this program's unfinished work (a copy being made); they are no changes.
 */
export const WHITEOUT = '.wh.';
export const OPAQUE = '.wh..wh..opq';
const WORK = '.wh..wh.';

export const whiteoutOf = (name: string): string => WHITEOUT + name;

/** True for names that are marks or unfinished work: guests neither see nor make them. */
export const isMark = (name: string): boolean => name.startsWith(WHITEOUT);

/** The name that a whiteout hides; undefined for every other name. */
export function hiddenBy(name: string): string | undefined {
  return name.startsWith(WHITEOUT) && !name.startsWith(WORK) ? name.slice(WHITEOUT.length) : undefined;
}

let counter = 0;

/** A name for something that is being made and is renamed when it is whole. */
export const workName = (): string => `${WORK}${process.pid}-${counter++}-${Math.random().toString(36).slice(2, 8)}`;
