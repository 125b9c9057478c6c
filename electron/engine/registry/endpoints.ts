import { BlockList, isIP } from 'node:net';
import { invalid } from '../../base/errors.ts';
import type { RegistrySettings } from '../api/registry.ts';

/** One address that a repository can be asked at. */
export interface Endpoint {
  /** `host[:port]`. */
  readonly host: string;
  /** The one scheme to use; undefined = https, then http (insecure ones only). */
  readonly scheme: 'https' | 'http' | undefined;
  /** Before `/v2/`: '' or '/path' of a mirror. */
  readonly prefix: string;
  /** Certificates are not checked, http will do. */
  readonly insecure: boolean;
  readonly isMirror: boolean;
  /** The key under which `docker login` keeps its credentials. */
  readonly authKey: string;
}

/** Docker Hub's key in every config.json since 2014. */
export const dockerHubKey = 'https://index.docker.io/v1/';
const dockerHubHost = 'registry-1.docker.io';

/**
 * Where the repositories of a domain are, in the order of asking: mirrors (docker.io only, and only to read), then the registry itself.
 * @throws invalid for a mirror that is no URL
 */
export function endpointsOf(domain: string, settings: RegistrySettings, use: 'read' | 'write'): Endpoint[] {
  const isHub = domain === 'docker.io';
  const own: Endpoint = {
    host: isHub ? dockerHubHost : domain,
    scheme: isInsecure(isHub ? dockerHubHost : domain, settings) ? undefined : 'https',
    prefix: '',
    insecure: isInsecure(isHub ? dockerHubHost : domain, settings),
    isMirror: false,
    authKey: isHub ? dockerHubKey : domain,
  };
  if (!isHub || use === 'write') return [own];
  return [...settings.mirrors.map((mirror) => mirrorOf(mirror, settings)), own];
}

function mirrorOf(text: string, settings: RegistrySettings): Endpoint {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.host === '')
    throw invalid(`the registry mirror ${JSON.stringify(text)} is not a URL`, {
      hint: 'Write it like https://mirror.example in the settings.',
    });
  return {
    host: url.host,
    scheme: url.protocol === 'http:' ? 'http' : 'https',
    prefix: url.pathname.replace(/\/+$/, ''),
    insecure: isInsecure(url.host, settings),
    isMirror: true,
    authKey: url.host,
  };
}

/** As dockerd: loopback always, and what the settings name: `host`, `host:port` or a CIDR. */
export function isInsecure(host: string, settings: Pick<RegistrySettings, 'insecure'>): boolean {
  const name = hostName(host);
  if (name === 'localhost') return true;
  const version = isIP(name);
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  for (const entry of settings.insecure) {
    if (entry === host || entry === name) return true;
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    if (bits === undefined || family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
      continue;
    list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  return version !== 0 && list.check(name, version === 4 ? 'ipv4' : 'ipv6');
}

/** Without port and brackets. */
export const hostName = (host: string): string =>
  host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '');

/**
 * The key for what a person calls a registry: '' and docker.io in all its spellings are Docker Hub, others lose scheme and path
 * (docker/cli, registry.ConvertToHostname).
 */
export function serverKey(server: string | undefined): string {
  const bare =
    (server ?? '')
      .trim()
      .replace(/^[a-z]+:\/\//i, '')
      .split('/')[0]
      ?.toLowerCase() ?? '';
  return ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'].includes(bare)
    ? dockerHubKey
    : bare;
}

/** The domain of names that a key stands for. */
export const domainOfKey = (key: string): string => (key === dockerHubKey ? 'docker.io' : key);
