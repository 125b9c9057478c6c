/** The data root (HOME) and its parts. One owner each: content/ and snapshots/ belong to images/, the rest to the folder of the same name. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, damaged } from '../base/errors.ts';
import { writeFileAtomically } from '../platform/atomic-file.ts';

/** Raised when an older Drydock could not read the data root any more. */
export const layoutVersion = 1;

export interface HomeLayout {
  readonly home: string;
  readonly lock: string;
  readonly version: string;
  readonly containers: string;
  readonly volumes: string;
  readonly networks: string;
  /** Log-ins to registries: a 0600 file. */
  readonly registryLogins: string;
  /** Half-made things; emptied at open. */
  readonly tmp: string;
}

export const homeLayout = (home: string): HomeLayout => ({
  home,
  lock: join(home, 'lock'),
  version: join(home, 'version.json'),
  containers: join(home, 'containers'),
  volumes: join(home, 'volumes'),
  networks: join(home, 'networks.json'),
  registryLogins: join(home, 'registry-logins.json'),
  tmp: join(home, 'tmp'),
});

/** Refuses a data root that a newer Drydock has written; marks a new one. @throws conflict, damaged */
export function checkLayoutVersion(layout: HomeLayout): void {
  let text: string;
  try {
    text = readFileSync(layout.version, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    writeFileAtomically(layout.version, `${JSON.stringify({ layout: layoutVersion })}\n`);
    return;
  }
  const found = layoutOf(text);
  if (found === undefined) {
    throw damaged(`${layout.version} does not say which layout the data root has`, {
      hint: `If nothing but this file is damaged, write {"layout":${layoutVersion}} into it.`,
    });
  }
  if (found > layoutVersion) {
    throw conflict(
      `the data root ${layout.home} has layout ${found}, made by a newer Drydock; this one knows layout ${layoutVersion}`,
      {
        hint: 'Update Drydock, or give this one another data root (DRYDOCK_HOME).',
        data: { layout: found, known: layoutVersion },
      },
    );
  }
}

function layoutOf(text: string): number | undefined {
  try {
    const value = (JSON.parse(text) as { layout?: unknown } | null)?.layout;
    return Number.isInteger(value) ? (value as number) : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the folders, and empties tmp: what is there was never finished. */
export function prepareHome(layout: HomeLayout): void {
  rmSync(layout.tmp, { recursive: true, force: true });
  for (const directory of [layout.containers, layout.volumes, layout.tmp]) mkdirSync(directory, { recursive: true });
}
