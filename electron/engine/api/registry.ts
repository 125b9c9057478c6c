/** Who somebody is for a registry: as `X-Registry-Auth` carries it, as `docker login` keeps it. */
export interface RegistryAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A refresh token that stands for name and password. */
  readonly identityToken?: string | undefined;
  /** A bearer token to be sent as it is. */
  readonly registryToken?: string | undefined;
  /** `registry.example:5000`, `https://index.docker.io/v1/`. */
  readonly serverAddress?: string | undefined;
}

/** How registries are reached; read each time, so a change counts at once. */
export interface RegistrySettings {
  /** Base URLs that are asked before docker.io itself: `https://mirror.example`. */
  readonly mirrors: readonly string[];
  /** `host[:port]` or CIDR: certificates are not checked there, and plain http will do. Loopback always is one. */
  readonly insecure: readonly string[];
  /** PEM file with certificates to trust besides the system's; '' = none. */
  readonly caFile: string;
  /** URLs; '' = as the environment says (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  /** Base URL of the npm registry that packages of starters come from; '' = as the environment says (npm_config_registry), else npm's own. */
  readonly npm: string;
}

/** A registry somebody is logged in to, without the secret. */
export interface RegistryAccount {
  readonly server: string;
  readonly username: string;
  /** 'drydock' = kept by Drydock itself; 'docker' = by `docker login`, where Drydock only reads. */
  readonly keptBy: 'drydock' | 'docker';
}

export interface RemoteImage {
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly platforms: readonly { readonly os: string; readonly architecture: string; readonly variant?: string }[];
}

export interface RemoteReferrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** '' = it does not say. */
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Keeps secrets of registries: a 0600 file headless, the system's key store in the desktop. Addresses as `docker login` writes them. */
export interface CredentialStore {
  get(server: string): Promise<RegistryAuth | undefined>;
  set(server: string, auth: RegistryAuth): Promise<void>;
  /** Forgets; no error when there is nothing. */
  delete(server: string): Promise<void>;
  list(): Promise<readonly { readonly server: string; readonly username: string }[]>;
}

export interface RegistryApi {
  /** Really asks the registry. Keeps nothing. @throws unauthorized in moby's words, unavailable */
  check(auth: RegistryAuth, signal?: AbortSignal): Promise<{ readonly identityToken: string }>;
  /** `check`, then keeps it. Answers the server's address as it is kept. */
  login(auth: RegistryAuth, signal?: AbortSignal): Promise<string>;
  /** @throws notFound when Drydock keeps nothing for it; what `docker login` keeps is left alone */
  logout(server: string): Promise<void>;
  accounts(): Promise<readonly RegistryAccount[]>;
  /** What a name means at its registry, without pulling it. */
  inspect(ref: string, auth: RegistryAuth | 'stored' | undefined, signal?: AbortSignal): Promise<RemoteImage>;
  /** The tags of a repository, in the registry's order. */
  tags(repository: string, auth: RegistryAuth | 'stored' | undefined, signal?: AbortSignal): Promise<readonly string[]>;
  /** What refers to the manifest that a name means: signatures, SBOMs. */
  referrers(
    ref: string,
    auth: RegistryAuth | 'stored' | undefined,
    signal?: AbortSignal,
  ): Promise<readonly RemoteReferrer[]>;
  /** Takes a tag, or with a digest a manifest and all of its tags, away from its registry. @throws notFound, denied, invalid where deleting is not allowed */
  remove(ref: string, auth: RegistryAuth | 'stored' | undefined, signal?: AbortSignal): Promise<void>;
}
