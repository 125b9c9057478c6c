import { unauthorized, unavailable } from '../../base/errors.ts';
import type { RegistryAuth } from '../api/registry.ts';
import { parseChallenges } from './challenge.ts';
import { isInsecure } from './endpoints.ts';
import { failureOf } from './failures.ts';
import { textOf, type Transport } from './transport.ts';
import type { RegistrySettings } from '../api/registry.ts';

const clientId = 'drydock';
/** Servers that do not say how long a token lasts mean a minute (distribution, token.md); ours end a little earlier than theirs. */
const shortestLife = 60_000;
const margin = 10_000;

interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export interface AuthorizerOptions {
  readonly transport: Transport;
  readonly settings: () => RegistrySettings;
  readonly auth: RegistryAuth | undefined;
  readonly now?: () => number;
}

/**
 * What proves to one registry who asks (distribution spec: token.md, oauth.md). Learns from the first 401 how this registry wants it, keeps tokens by scope until
 * they end, and gets a new one when the registry does not take the old one any more.
 */
export class Authorizer {
  readonly #transport: Transport;
  readonly #settings: () => RegistrySettings;
  readonly #auth: RegistryAuth | undefined;
  readonly #now: () => number;
  #way:
    { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string } | undefined;
  readonly #tokens = new Map<string, Promise<Token>>();
  /** What the token server gave instead of name and password. */
  #refreshToken: string | undefined;

  constructor({ transport, settings, auth, now }: AuthorizerOptions) {
    this.#transport = transport;
    this.#settings = settings;
    this.#auth = auth;
    this.#now = now ?? Date.now;
    this.#refreshToken = auth?.identityToken || undefined;
  }

  /** The refresh token that a login brought; '' = none. */
  get identityToken(): string {
    return this.#refreshToken ?? '';
  }

  /** The Authorization header for a question about `scopes`; undefined when none is known to be needed. @throws unauthorized, unavailable */
  async header(scopes: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#auth?.registryToken) return `Bearer ${this.#auth.registryToken}`;
    if (this.#way?.kind === 'basic') return this.#basic();
    if (this.#way?.kind !== 'bearer') return undefined;
    return `Bearer ${(await this.#token(this.#way, scopes, signal)).value}`;
  }

  /**
   * Learns from a 401. True when asking again makes sense: the way in was not known, or the token may have ended.
   * @param sent the header that was refused
   */
  async learn(
    challenge: string | undefined,
    from: URL,
    scopes: readonly string[],
    sent: string | undefined,
  ): Promise<boolean> {
    const challenges = parseChallenges(challenge);
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined,
    );
    if (this.#auth?.registryToken) return false;
    if (bearer) {
      this.#way = {
        kind: 'bearer',
        realm: this.#realm(bearer.parameters['realm'] ?? '', from),
        service: bearer.parameters['service'] ?? '',
      };
      const key = keyOf(scopes);
      const kept = this.#tokens.get(key);
      // Another question may have renewed it meanwhile.
      if (kept && sent === `Bearer ${(await kept.catch(() => undefined))?.value}`) this.#tokens.delete(key);
      return true;
    }
    if (
      challenges.some(({ scheme }) => scheme === 'basic') &&
      this.#auth?.username !== undefined &&
      sent === undefined
    ) {
      this.#way = { kind: 'basic' };
      return true;
    }
    return false;
  }

  #basic(): string {
    const { username = '', password = '' } = this.#auth ?? {};
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  /** Passwords go over plain http only to where the person, or loopback, allows it. @throws unauthorized */
  #realm(text: string, from: URL): URL {
    const realm = URL.parse(text, from);
    if (!realm || (realm.protocol !== 'https:' && realm.protocol !== 'http:'))
      throw unavailable(`${from.host} names a token server that is no URL: ${text}`);
    if (realm.protocol === 'http:' && from.protocol === 'https:' && !isInsecure(realm.host, this.#settings()))
      throw unauthorized(
        `${from.host} wants the password sent to ${realm.origin} without encryption, which is refused`,
        {
          hint: `List ${realm.host} as an insecure registry if that is meant.`,
        },
      );
    return realm;
  }

  #token(
    way: { readonly realm: URL; readonly service: string },
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const key = keyOf(scopes);
    const kept = this.#tokens.get(key);
    const fresh = async (): Promise<Token> => {
      const before = await kept?.catch(() => undefined);
      return before && before.until > this.#now() ? before : this.#fetch(way, scopes, signal);
    };
    const token = fresh();
    this.#tokens.set(key, token);
    token.catch(() => {
      if (this.#tokens.get(key) === token) this.#tokens.delete(key);
    });
    return token;
  }

  async #fetch(
    { realm, service }: { readonly realm: URL; readonly service: string },
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const answer =
      this.#refreshToken !== undefined
        ? await this.#oauth(realm, service, scopes, signal)
        : await this.#get(realm, service, scopes, signal);
    const text = await textOf(answer);
    if (answer.status !== 200) throw failureOf(answer.status, text, `the token server ${realm.origin}`);
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(text) as Record<string, unknown>;
    } catch {
      value = {};
    }
    const token = value['token'] || value['access_token'];
    if (typeof token !== 'string') throw unavailable(`the token server ${realm.origin} sent no token`);
    if (typeof value['refresh_token'] === 'string' && value['refresh_token'] !== '')
      this.#refreshToken = value['refresh_token'];
    const life = typeof value['expires_in'] === 'number' ? value['expires_in'] * 1000 : shortestLife;
    return { value: token, until: this.#now() + Math.max(life - margin, life / 2) };
  }

  /** token.md: who asks in an Authorization header, or nobody. */
  #get(realm: URL, service: string, scopes: readonly string[], signal: AbortSignal | undefined) {
    const url = new URL(realm);
    const named = this.#auth?.username !== undefined;
    if (named) url.searchParams.set('account', this.#auth?.username ?? '');
    url.searchParams.set('client_id', clientId);
    if (named && scopes.length === 0) url.searchParams.set('offline_token', 'true');
    if (service) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const headers = named ? { authorization: this.#basic() } : {};
    return this.#transport.send({
      method: 'GET',
      url,
      headers,
      signal,
      insecure: isInsecure(url.host, this.#settings()),
    });
  }

  /** oauth.md: a refresh token instead of a password. */
  #oauth(realm: URL, service: string, scopes: readonly string[], signal: AbortSignal | undefined) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      service,
      scope: scopes.join(' '),
      refresh_token: this.#refreshToken ?? '',
    });
    const body = Buffer.from(form.toString());
    return this.#transport.send({
      method: 'POST',
      url: realm,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) },
      body,
      signal,
      insecure: isInsecure(realm.host, this.#settings()),
    });
  }
}

const keyOf = (scopes: readonly string[]): string => [...scopes].sort().join(' ');
