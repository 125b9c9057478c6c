import type { IncomingMessage } from 'node:http';
import { invalid } from '../base/errors.ts';
import type { RegistryAuth } from '../engine/api/index.ts';

/**
 * `X-Registry-Auth`: base64 (url or not) of JSON. Absent, empty and `{}` mean nobody.
 * @throws invalid, without the header's text: it holds a secret
 */
export function registryAuth(request: IncomingMessage): RegistryAuth | undefined {
  const value = decoded(request, 'x-registry-auth');
  return value && authOf(value);
}

/** `X-Registry-Config` of a build: what `X-Registry-Auth` is, for each server. @throws invalid */
export function registryConfig(request: IncomingMessage): Readonly<Record<string, RegistryAuth>> | undefined {
  const value = decoded(request, 'x-registry-config');
  if (!value) return undefined;
  const found: Record<string, RegistryAuth> = {};
  for (const [server, each] of Object.entries(value)) {
    if (typeof each === 'object' && each !== null) found[server] = authOf(each as Record<string, unknown>);
  }
  return found;
}

function decoded(request: IncomingMessage, header: string): Record<string, unknown> | undefined {
  const text = request.headers[header];
  if (typeof text !== 'string' || text === '') return undefined;
  let value: unknown;
  try {
    // 'base64' takes both alphabets.
    value = JSON.parse(Buffer.from(text, 'base64').toString('utf8') || '{}');
  } catch {
    throw invalid(`the header ${header} is not base64 of JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`the header ${header} does not hold a JSON object`);
  return value as Record<string, unknown>;
}

/** The keys as the docker CLI writes them; also of the body of `POST /auth`. `auth` is "name:password" in base64, from old configs. */
export function authOf(value: Readonly<Record<string, unknown>>): RegistryAuth {
  const at = (key: string): string | undefined => {
    const found = value[key];
    return typeof found === 'string' && found !== '' ? found : undefined;
  };
  const joined = Buffer.from(at('auth') ?? '', 'base64').toString('utf8');
  const colon = joined.indexOf(':');
  return {
    username: at('username') ?? (colon > 0 ? joined.slice(0, colon) : undefined),
    password: at('password') ?? (colon > 0 ? joined.slice(colon + 1) : undefined),
    identityToken: at('identitytoken'),
    registryToken: at('registrytoken'),
    serverAddress: at('serveraddress'),
  };
}
