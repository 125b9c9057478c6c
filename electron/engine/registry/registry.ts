import { createHash } from 'node:crypto';
import { DrydockError, invalid, kindOf, notFound, toDrydockError, unauthorized } from '../../base/errors.ts';
import type { CredentialStore, RegistryApi, RegistryAuth, RegistrySettings, RemoteImage } from '../api/registry.ts';
import type { TransferAuth } from '../api/images.ts';
import { configTypes, isIndexType } from '../images/formats/media-types.ts';
import { parseIndex, parseManifest } from '../images/oci.ts';
import { familiarName, parseReference, withDefaultTag, type Reference } from '../images/references.ts';
import { Authorizer } from './auth.ts';
import { Repository } from './client.ts';
import { fileCredentials, storedAuth } from './credentials.ts';
import { dockerConfig, type DockerConfig } from './docker-config.ts';
import { dockerHubKey, domainOfKey, endpointsOf, serverKey } from './endpoints.ts';
import { hasCode } from './failures.ts';
import { ask, type Asking } from './request.ts';
import { systemSleep, type Sleep } from './retry.ts';
import { createTransport } from './transport.ts';

export const defaultRegistrySettings: RegistrySettings = {
  mirrors: [],
  insecure: [],
  caFile: '',
  httpProxy: '',
  httpsProxy: '',
  noProxy: '',
  npm: '',
};

export interface RegistriesOptions {
  /** Drydock's own version. */
  readonly version: string;
  /** Asked before each connection; absent = the defaults. */
  readonly settings?: (() => RegistrySettings) | undefined;
  /** Where the window's log-ins are kept. A path = a 0600 file there. */
  readonly credentials: CredentialStore | string;
  readonly docker?: DockerConfig | undefined;
  readonly sleep?: Sleep | undefined;
}

/** Registries as the engine uses them. */
export interface Registries {
  readonly api: RegistryApi;
  /** A repository in somebody's name, to read or to write. Log-ins are looked up here, so that nothing waits for them later. */
  repository(
    reference: Pick<Reference, 'domain' | 'path'>,
    auth: TransferAuth,
    use: 'read' | 'write',
  ): Promise<Repository>;
  close(): void;
}

export function openRegistries(options: RegistriesOptions): Registries {
  const settings = options.settings ?? (() => defaultRegistrySettings);
  const asking: Asking = {
    transport: createTransport(settings),
    settings,
    sleep: options.sleep ?? systemSleep,
    schemes: new Map(),
    userAgent: `drydock/${options.version}`,
  };
  const store = typeof options.credentials === 'string' ? fileCredentials(options.credentials) : options.credentials;
  const docker = options.docker ?? dockerConfig();

  const repository: Registries['repository'] = async ({ domain, path }, auth, use) => {
    const known = new Map<string, RegistryAuth>();
    for (const { authKey, isMirror } of endpointsOf(domain, settings(), use)) {
      // What was given is for the registry that was named; a mirror of it is somebody else's.
      const found = auth === 'stored' ? await storedAuth(store, docker, authKey) : isMirror ? undefined : auth;
      if (found && isUsable(found)) known.set(authKey, found);
    }
    return new Repository(asking, domain, path, (key) => known.get(key), use);
  };

  const check: RegistryApi['check'] = async (auth, signal) => {
    const key = serverKey(auth.serverAddress);
    const endpoint = endpointsOf(domainOfKey(key), settings(), 'write')[0];
    if (!endpoint || !isHost(domainOfKey(key)))
      throw invalid(`${JSON.stringify(auth.serverAddress)} is not the address of a registry`, {
        hint: 'Write it like registry.example:5000.',
      });
    const authorizer = new Authorizer({ transport: asking.transport, settings, auth });
    try {
      const answer = await ask(asking, endpoint, authorizer, {
        method: 'GET',
        target: '/v2/',
        scopes: [],
        accept: [200],
        signal,
      });
      answer.body.resume();
    } catch (error) {
      throw loginFailure(error, endpoint.host);
    }
    return { identityToken: authorizer.identityToken };
  };

  const api: RegistryApi = {
    check,
    async login(auth, signal) {
      const { identityToken } = await check(auth, signal);
      const key = serverKey(auth.serverAddress);
      await store.set(key, { ...auth, ...(identityToken !== '' && { identityToken }) });
      return key;
    },
    async logout(server) {
      const key = serverKey(server);
      if ((await store.get(key)) === undefined)
        throw notFound(`not logged in to ${key === dockerHubKey ? 'docker.io' : key}`, {
          hint: 'What docker login keeps is removed with docker logout.',
        });
      await store.delete(key);
    },
    async accounts() {
      const own = (await store.list()).map((account) => ({ ...account, keptBy: 'drydock' as const }));
      const theirs = await docker.list().catch(() => []);
      return [
        ...own,
        ...theirs
          .filter(({ server }) => !own.some((account) => account.server === server))
          .map((account) => ({ ...account, keptBy: 'docker' as const })),
      ];
    },
    async inspect(ref, auth, signal) {
      const reference = withDefaultTag(parseReference(ref));
      try {
        return await inspect(await repository(reference, auth, 'read'), reference, signal);
      } catch (error) {
        throw lookupFailure(error, reference);
      }
    },
    async referrers(ref, auth, signal) {
      const reference = withDefaultTag(parseReference(ref));
      try {
        const from = await repository(reference, auth, 'read');
        const digest = reference.digest ?? (await from.manifest(reference.tag ?? 'latest', signal)).descriptor.digest;
        return (await from.referrers(digest, signal)).map(
          ({ mediaType, digest: found, size, artifactType, annotations }) => ({
            mediaType,
            digest: found,
            size,
            artifactType: artifactType ?? '',
            annotations: annotations ?? {},
          }),
        );
      } catch (error) {
        throw lookupFailure(error, reference);
      }
    },
    async remove(ref, auth, signal) {
      const reference = withDefaultTag(parseReference(ref));
      try {
        await (
          await repository(reference, auth, 'write')
        ).deleteManifest(reference.digest ?? reference.tag ?? '', signal);
      } catch (error) {
        throw lookupFailure(error, reference);
      }
    },
    async tags(name, auth, signal) {
      const reference = parseReference(name);
      try {
        return await (await repository(reference, auth, 'read')).tags(signal);
      } catch (error) {
        throw lookupFailure(error, reference);
      }
    },
  };
  return { api, repository, close: () => asking.transport.close() };
}

const isUsable = ({ username, identityToken, registryToken }: RegistryAuth): boolean =>
  Boolean(username || identityToken || registryToken);

const isHost = (text: string): boolean => URL.parse(`https://${text}/`)?.host === text.toLowerCase();

/** In moby's words (registry/auth.go). */
function loginFailure(error: unknown, host: string): unknown {
  if (!(error instanceof DrydockError) || (error.kind !== 'unauthorized' && error.kind !== 'denied')) return error;
  return unauthorized(`login attempt to https://${host}/v2/ failed with status: 401 Unauthorized: ${error.message}`, {
    hint: 'Check name and password.',
    data: error.data,
    cause: error,
  });
}

/** A registry's refusal with the name that was asked for, in moby's words (distribution/errors.go). */
export function lookupFailure(error: unknown, reference: Reference): unknown {
  const failure = toDrydockError(error);
  const name = familiarName(reference);
  const details = { data: { ...failure.data, reference: name }, cause: failure, hint: failure.hint };
  if (hasCode(error, 'DENIED', 'UNAUTHORIZED') || failure.kind === 'unauthorized' || failure.kind === 'denied')
    return new DrydockError(
      failure.kind,
      `pull access denied for ${name}, repository does not exist or may require 'docker login': ${failure.message}`,
      details,
    );
  if (hasCode(error, 'NAME_UNKNOWN')) return notFound(`repository ${name} not found: ${failure.message}`, details);
  if (hasCode(error, 'MANIFEST_UNKNOWN') || kindOf(error) === 'notFound')
    return notFound(
      `manifest for ${name} not found: ${hasCode(error, 'MANIFEST_UNKNOWN') ? failure.message : 'manifest unknown: manifest unknown'}`,
      details,
    );
  return error;
}

/** `GET /distribution/{name}/json`: descriptor and platforms. */
async function inspect(
  repository: Repository,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<RemoteImage> {
  const { bytes, descriptor } = await repository.manifest(reference.digest ?? reference.tag ?? 'latest', signal);
  const what = familiarName(reference);
  if (isIndexType(descriptor.mediaType)) {
    const platforms = parseIndex(bytes.toString('utf8'), what).flatMap(({ platform }) => (platform ? [platform] : []));
    return { descriptor, platforms };
  }
  const { config } = parseManifest(bytes.toString('utf8'), what);
  const isKnown = (Object.values(configTypes) as string[]).includes(config.mediaType);
  const text = isKnown ? await repository.smallBlob(config, { signal }) : Buffer.from('{}');
  if (`sha256:${createHash('sha256').update(text).digest('hex')}` !== config.digest && isKnown)
    throw invalid(`the config of ${what} does not have the digest that its manifest says`);
  const { os, architecture, variant } = JSON.parse(text.toString('utf8') || '{}') as Record<string, unknown>;
  if (typeof os !== 'string' || typeof architecture !== 'string') return { descriptor, platforms: [] };
  return { descriptor, platforms: [{ os, architecture, ...(typeof variant === 'string' && { variant }) }] };
}
