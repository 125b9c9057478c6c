import { chmodSync, readFileSync } from 'node:fs';
import { damaged } from '../../base/errors.ts';
import { writeFileAtomically } from '../../platform/atomic-file.ts';
import type { CredentialStore, RegistryAuth } from '../api/registry.ts';
import type { DockerConfig } from './docker-config.ts';
import { serverKey } from './endpoints.ts';

interface Kept {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
}

/** Secrets in a file that only its owner can read: where there is no key store. The desktop has a better one. */
export function fileCredentials(path: string): CredentialStore {
  const read = (): Record<string, Kept> => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
    try {
      const { registries } = JSON.parse(text) as { registries?: unknown };
      if (typeof registries === 'object' && registries !== null) return registries as Record<string, Kept>;
    } catch {
      // Said below: without the text, which holds secrets.
    }
    throw damaged(`the kept log-ins cannot be read: ${path}`, { hint: 'Remove the file and log in again.' });
  };
  const write = (registries: Record<string, Kept>): void => {
    writeFileAtomically(path, `${JSON.stringify({ registries }, null, 1)}\n`);
    // It was made with 0600; a file from elsewhere may have been more open.
    chmodSync(path, 0o600);
  };
  return {
    async get(server) {
      const kept = read()[serverKey(server)];
      return kept && { ...kept, serverAddress: serverKey(server) };
    },
    async set(server, { username, password, identityToken }) {
      const kept: Kept = {
        ...(username !== undefined && { username }),
        // A refresh token takes the password's place: less to lose.
        ...(identityToken ? { identityToken } : { password: password ?? '' }),
      };
      write({ ...read(), [serverKey(server)]: kept });
    },
    async delete(server) {
      const { [serverKey(server)]: gone, ...rest } = read();
      if (gone) write(rest);
    },
    async list() {
      return Object.entries(read()).map(([server, { username = '' }]) => ({ server, username }));
    },
  };
}

/** Whose name to use where a person has logged in: in Drydock first, then with docker. */
export async function storedAuth(
  store: CredentialStore,
  docker: DockerConfig,
  server: string,
): Promise<RegistryAuth | undefined> {
  return (await store.get(server)) ?? (await docker.get(server));
}
