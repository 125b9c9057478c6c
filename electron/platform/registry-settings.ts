/** How registries are reached: the part of HOME/config.json that the engine reads too, with or without a window. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { invalid } from '../base/errors.ts';

export interface RegistrySettings {
  /** Base URLs that are asked before docker.io: `https://mirror.example`. */
  readonly mirrors: readonly string[];
  /** `host[:port]` or CIDR. */
  readonly insecure: readonly string[];
  /** Absolute path of a PEM file; '' = none. */
  readonly caFile: string;
  /** `http://[user:password@]host:port`; '' = as the environment says. */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  /** As NO_PROXY: names, .domains, addresses, with commas. */
  readonly noProxy: string;
  /** Base URL of the npm registry that packages of starters come from; '' = as the environment says, else npm's own. */
  readonly npm: string;
}

export const noRegistrySettings: RegistrySettings = {
  mirrors: [],
  insecure: [],
  caFile: '',
  httpProxy: '',
  httpsProxy: '',
  noProxy: '',
  npm: '',
};

/** JSON schema, for conf and electron-store. What the values mean is checked by `registrySettings`. */
export const registrySettingsSchema = {
  type: 'object',
  properties: {
    mirrors: { type: 'array', items: { type: 'string' } },
    insecure: { type: 'array', items: { type: 'string' } },
    caFile: { type: 'string' },
    httpProxy: { type: 'string' },
    httpsProxy: { type: 'string' },
    noProxy: { type: 'string' },
    npm: { type: 'string' },
  },
} as const;

/** Settings out of any value: what is missing has its default. @throws invalid naming the key and what it wants */
export function registrySettings(value: unknown): RegistrySettings {
  if (value === undefined || value === null) return noRegistrySettings;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('the setting "registries" is not an object');
  const given = { ...noRegistrySettings, ...value } as Record<keyof RegistrySettings, unknown>;
  const result: RegistrySettings = {
    mirrors: texts(given.mirrors, 'mirrors'),
    insecure: texts(given.insecure, 'insecure'),
    caFile: text(given.caFile, 'caFile'),
    httpProxy: text(given.httpProxy, 'httpProxy'),
    httpsProxy: text(given.httpsProxy, 'httpsProxy'),
    noProxy: text(given.noProxy, 'noProxy'),
    npm: text(given.npm, 'npm'),
  };
  for (const mirror of result.mirrors)
    if (!isWebUrl(mirror)) throw wrong('mirrors', mirror, 'the URL of a registry, such as https://mirror.example');
  if (result.npm !== '' && !isWebUrl(result.npm))
    throw wrong('npm', result.npm, 'the URL of an npm registry, such as https://registry.npmjs.org/');
  for (const entry of result.insecure)
    if (!/^[A-Za-z0-9._\-[\]:]+(\/\d{1,3})?$/.test(entry))
      throw wrong('insecure', entry, 'a host, a host:port, or a range of addresses such as 10.0.0.0/8');
  if (result.caFile !== '' && !isAbsolute(result.caFile)) throw wrong('caFile', result.caFile, 'an absolute path');
  for (const key of ['httpProxy', 'httpsProxy'] as const)
    if (result[key] !== '' && !isWebUrl(result[key])) throw wrong(key, '', 'a URL such as http://proxy.example:3128');
  return result;
}

const isWebUrl = (value: string): boolean => /^https?:$/.test(URL.parse(value)?.protocol ?? '');

/** A proxy's URL may hold a password: it is not repeated. */
const wrong = (key: keyof RegistrySettings, value: string, wants: string) =>
  invalid(
    `the setting registries.${key} ${value === '' ? 'is wrong' : `holds ${JSON.stringify(value)}`}: it wants ${wants}`,
  );

function text(value: unknown, key: keyof RegistrySettings): string {
  if (typeof value !== 'string') throw invalid(`the setting registries.${key} is not a text`);
  return value.trim();
}

function texts(value: unknown, key: keyof RegistrySettings): readonly string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
    throw invalid(`the setting registries.${key} is not a list of texts`);
  return value.map((each: string) => each.trim()).filter((each) => each !== '');
}

/**
 * Reads HOME/config.json whenever it has changed, so that a choice in the window, or a line written by hand, counts from the next transfer on.
 * @throws invalid when the file holds something else
 */
export function registrySettingsOf(home: string): () => RegistrySettings {
  const path = join(home, 'config.json');
  let known: { readonly stamp: string; readonly settings: RegistrySettings } | undefined;
  return () => {
    const stamp = stampOf(path);
    if (known?.stamp !== stamp) {
      const file = stamp === '' ? undefined : readJson(path);
      known = { stamp, settings: registrySettings((file as { registries?: unknown } | undefined)?.registries) };
    }
    return known.settings;
  };
}

/** '' when there is no such file. */
function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found ? `${found.ino} ${found.mtimeNs} ${found.size}` : '';
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw invalid(`${path} cannot be read: ${(cause as Error).message}`, {
      hint: 'Correct it, or remove it to begin afresh.',
      cause,
    });
  }
}
