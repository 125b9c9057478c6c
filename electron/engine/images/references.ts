import { invalid } from '../../base/errors.ts';

/** A name of an image, normalised: `t` is docker.io / library/t, tag latest. Grammar: github.com/distribution/reference. */
export interface Reference {
  readonly domain: string;
  readonly path: string;
  readonly tag: string | undefined;
  /** sha256:… */
  readonly digest: string | undefined;
}

const defaultDomain = 'docker.io';
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domainPart = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domainPattern = new RegExp(`^(?:${domainPart}(?:\\.${domainPart})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[\w][\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** True for `sha256:` and 64 lower-case hex digits. */
export const isDigest = (text: string): boolean => digestPattern.test(text);

/**
 * Parses `[domain/]path[:tag][@digest]`. Without tag and digest the tag stays undefined: see `withDefaultTag`.
 * @throws invalid in moby's words
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text))
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  let rest = text;
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!digestPattern.test(digest)) throw badFormat(text);
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const hasDomain = first !== '' && (/[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  let domain = hasDomain ? first : defaultDomain;
  if (domain === 'index.docker.io') domain = defaultDomain;
  let path = hasDomain ? rest.slice(slash + 1) : rest;
  let tag: string | undefined;
  const colon = path.lastIndexOf(':');
  if (colon >= 0) {
    tag = path.slice(colon + 1);
    path = path.slice(0, colon);
    if (!tagPattern.test(tag)) throw badFormat(text);
  }
  if (path !== path.toLowerCase() && pathPattern.test(path.toLowerCase()))
    throw invalid(`invalid reference format: repository name (${path}) must be lowercase`);
  if (domain === defaultDomain && path !== '' && !path.includes('/')) path = `library/${path}`;
  if (!domainPattern.test(domain) || !pathPattern.test(path)) throw badFormat(text);
  if (`${domain}/${path}`.length > 255)
    throw invalid('invalid reference format: repository name must not be more than 255 characters');
  return { domain, path, tag, digest };
}

const badFormat = (text: string) =>
  invalid('invalid reference format', {
    hint: 'A name looks like repository[:tag], registry.example/repository[:tag] or repository@sha256:DIGEST.',
    data: { reference: text },
  });

/** Adds `latest` when there is neither a tag nor a digest. */
export const withDefaultTag = (reference: Reference): Reference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;

const suffix = ({ tag, digest }: Reference): string =>
  `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;

/** docker.io/library/t */
export const repositoryOf = ({ domain, path }: Reference): string => `${domain}/${path}`;

/** docker.io/library/t:latest: the form that is stored and sent to registries. */
export const fullName = (reference: Reference): string => repositoryOf(reference) + suffix(reference);

/** `t`, without the tag. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const short = path.startsWith('library/') ? path.slice('library/'.length) : path;
  return short.includes('/') ? path : short;
}

/** t:latest: the form that people see. */
export const familiarName = (reference: Reference): string => familiarRepository(reference) + suffix(reference);

/** The full name of whatever a client calls a tag. @throws invalid */
export const normalise = (text: string): string => fullName(withDefaultTag(parseReference(text)));

/** The familiar form of a stored full name. */
export const familiar = (full: string): string => familiarName(parseReference(full));
