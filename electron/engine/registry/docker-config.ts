import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DrydockError, invalid, notFound, unavailable } from '../../base/errors.ts';
import type { RegistryAuth } from '../api/registry.ts';
import { serverKey } from './endpoints.ts';

/** What `docker login` has kept: `config.json` and the credential helpers it names. Read anew each time; never written. */
export interface DockerConfig {
  /** @throws unavailable when a helper fails, invalid when the file cannot be read */
  get(server: string): Promise<RegistryAuth | undefined>;
  list(): Promise<readonly { readonly server: string; readonly username: string }[]>;
}

interface ConfigFile {
  readonly auths: Readonly<
    Record<string, { readonly auth?: string; readonly identitytoken?: string; readonly registrytoken?: string }>
  >;
  readonly credsStore: string;
  readonly credHelpers: Readonly<Record<string, string>>;
}

/** Milliseconds that a helper may take; some ask the person. */
const helperLimit = 60_000;

/** `$DOCKER_CONFIG/config.json`, or below the home directory. */
export function dockerConfig(directory = process.env['DOCKER_CONFIG'] || join(homedir(), '.docker')): DockerConfig {
  const path = join(directory, 'config.json');
  return {
    async get(server) {
      const config = await readConfig(path);
      const key = serverKey(server);
      const helper = helperFor(config, key);
      if (helper !== undefined) return askHelper(helper, key);
      for (const [name, entry] of Object.entries(config.auths))
        if (serverKey(name) === key) return decode(entry, path, name);
      return undefined;
    },
    async list() {
      const config = await readConfig(path);
      const found = new Map<string, string>();
      for (const [name, entry] of Object.entries(config.auths)) {
        const key = serverKey(name);
        // With a helper the entry only says that there is something.
        found.set(key, helperFor(config, key) === undefined ? (decode(entry, path, name)?.username ?? '') : '');
      }
      for (const name of Object.keys(config.credHelpers))
        if (!found.has(serverKey(name))) found.set(serverKey(name), '');
      return [...found].map(([server, username]) => ({ server, username }));
    },
  };
}

function helperFor({ credHelpers, credsStore }: ConfigFile, key: string): string | undefined {
  const own = Object.entries(credHelpers).find(([name]) => serverKey(name) === key)?.[1];
  return own ?? (credsStore || undefined);
}

/** @throws invalid naming the file */
async function readConfig(path: string): Promise<ConfigFile> {
  const nothing: ConfigFile = { auths: {}, credsStore: '', credHelpers: {} };
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return nothing;
    throw error;
  }
  try {
    const { auths, credsStore, credHelpers } = JSON.parse(text) as Record<string, unknown>;
    return {
      auths: isObject(auths) ? (auths as ConfigFile['auths']) : {},
      credsStore: typeof credsStore === 'string' ? credsStore : '',
      credHelpers: isObject(credHelpers) ? (credHelpers as ConfigFile['credHelpers']) : {},
    };
  } catch (cause) {
    throw invalid(`docker's configuration ${path} is not JSON`, { hint: 'Correct it, or log in again.', cause });
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function decode(entry: ConfigFile['auths'][string], path: string, name: string): RegistryAuth | undefined {
  if (entry.registrytoken) return { registryToken: entry.registrytoken, serverAddress: name };
  const text = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (text !== '' && colon < 0)
    throw invalid(`docker's configuration ${path} holds no name and password for ${name}`, { hint: 'Log in again.' });
  if (entry.identitytoken)
    return { username: text.slice(0, Math.max(0, colon)), identityToken: entry.identitytoken, serverAddress: name };
  if (text === '') return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, ''), serverAddress: name };
}

/** docker-credential-helpers: `docker-credential-X get`, the server on stdin, JSON on stdout. Undefined when the helper knows nothing. */
async function askHelper(helper: string, key: string): Promise<RegistryAuth | undefined> {
  // The name comes from a file and goes into a program's name: nothing that leads elsewhere.
  if (!/^[\w.-]+$/.test(helper)) throw invalid(`${JSON.stringify(helper)} is no name of a credential helper`);
  const program = `docker-credential-${helper}`;
  const text = await runHelper(program, 'get', key).catch((error: unknown) => {
    if (error instanceof DrydockError && error.kind === 'notFound') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw unavailable(`the credential helper ${program} answered with something that is not JSON`, { cause });
  }
  const username = typeof value['Username'] === 'string' ? value['Username'] : '';
  const secret = typeof value['Secret'] === 'string' ? value['Secret'] : '';
  if (username === '<token>') return { identityToken: secret, serverAddress: key };
  return { username, password: secret, serverAddress: key };
}

function runHelper(program: string, verb: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'pipe'], timeout: helperLimit, windowsHide: true });
    const out: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => void out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8').slice(0, 1000)));
    child.stdin.on('error', () => undefined);
    child.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        unavailable(
          `the credential helper ${program} cannot be run: ${cause.code === 'ENOENT' ? 'it is not installed' : cause.message}`,
          {
            hint: "It is named in docker's config.json (credsStore, credHelpers).",
            cause,
          },
        ),
      ),
    );
    child.on('close', (code, signal) => {
      const text = Buffer.concat(out).toString('utf8');
      if (code === 0) return resolve(text);
      const words = `${text} ${said}`;
      if (/credentials not found|no credentials|specified item could not be found/i.test(words))
        return reject(notFound(`${program} has no credentials for ${input}`));
      const why =
        signal === null
          ? `it ended with ${code}: ${words.trim().slice(0, 300)}`
          : `it did not answer within ${helperLimit / 1000} s`;
      reject(unavailable(`the credential helper ${program} failed: ${why}`));
    });
    child.stdin.end(input);
  });
}
