import { readFileSync } from 'node:fs';
import { damaged } from '../../base/errors.ts';
import { writeFileAtomically } from '../../platform/atomic-file.ts';

export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** '' for host and none. */
  readonly subnet: string;
  readonly gateway: string;
}

/** @throws damaged when the file is there and cannot be understood: starting with no networks would lose them at the next write. */
export function readNetworks(path: string): NetworkRecord[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { networks } = JSON.parse(text) as { networks: NetworkRecord[] };
    if (
      networks.every(
        ({ id, name, subnet }) => typeof id === 'string' && typeof name === 'string' && typeof subnet === 'string',
      )
    )
      return networks;
  } catch {
    // Falls through to the same complaint.
  }
  throw damaged(`${path} cannot be read as a list of networks`, {
    hint: 'Move the file away to start with the predefined networks only.',
    data: { path },
  });
}

export const writeNetworks = (path: string, networks: readonly NetworkRecord[]): void =>
  writeFileAtomically(path, `${JSON.stringify({ networks }, null, 2)}\n`);
