/** Outbound rules of a container: where beyond its virtual networks it may connect. Peers on a network that it shares are no matter of these. */
import { invalid } from '../../base/errors.ts';
import type { OutboundRules } from '../api/index.ts';
import { parsePrefix, within, type Ip, type Prefix } from './ip.ts';

export const rulesLabel = 'drydock.net.allow';
/** The host's own loopback as rules and refusals call it. */
export const hostName = 'host.docker.internal';
export const hostNames: readonly string[] = [hostName, 'gateway.docker.internal'];

const maxEntries = 1000;

export interface Destination {
  /** Names under which the guest has learned of the address. */
  readonly names: Iterable<string>;
  /** Absent = to be judged by its names only. */
  readonly ip?: Ip;
  readonly port: number;
}

export interface Rules {
  readonly given: OutboundRules;
  /** Whether the name may be asked of the host's resolver: one that could be of use. Asking is telling, so others are not asked. */
  allowsLookup(name: string): boolean;
  allows(destination: Destination): boolean;
}

interface Entry {
  /** Exact and in lower case; with `under` any name that ends in it. */
  readonly name?: string;
  readonly under?: boolean;
  readonly prefix?: Prefix;
  readonly port?: number;
}

/** The label's text: `all`, `none`, or a list with commas. Undefined and '' = all. @throws invalid, see `parseRules` */
export function rulesOfLabel(text: string | undefined): OutboundRules {
  const trimmed = (text ?? '').trim();
  if (trimmed === '' || trimmed === 'all') return 'all';
  if (trimmed === 'none') return 'none';
  const rules = trimmed.split(',').map((part) => part.trim());
  parseRules(rules);
  return rules;
}

/**
 * Entries: `example.com`, `*.example.com` (names below it, not itself), an IPv4 or IPv6 address, a CIDR, `host.docker.internal`; each with `:port`
 * (IPv6 then in brackets). @throws invalid that names the entry
 */
export function parseRules(given: OutboundRules): Rules {
  if (given === 'all') return { given, allowsLookup: () => true, allows: () => true };
  if (given === 'none') return { given, allowsLookup: () => false, allows: () => false };
  if (given.length > maxEntries) throw invalid(`too many outbound rules: ${given.length}, at most ${maxEntries}`);
  const entries = given.map(parseEntry);
  const anyAddress = entries.some(({ prefix }) => prefix);
  return {
    given,
    // An address rule says nothing of names: any of them may lead there.
    allowsLookup: (name) =>
      (anyAddress && !hostNames.includes(name)) || entries.some((entry) => nameMatches(entry, name)),
    allows({ names, ip, port }) {
      const known = [...names];
      return entries.some(
        (entry) =>
          (entry.port === undefined || entry.port === port) &&
          (entry.prefix
            ? ip !== undefined && within(ip, entry.prefix)
            : known.some((name) => nameMatches(entry, name))),
      );
    },
  };
}

function nameMatches({ name, under }: Entry, candidate: string): boolean {
  if (name === undefined) return false;
  return under ? candidate.endsWith(`.${name}`) && candidate.length > name.length + 1 : candidate === name;
}

function parseEntry(text: string): Entry {
  const match = /^(?:\[([^\]]+)\](\/\d+)?|([^:[\]]+)|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:\/\d+)?))$/.exec(
    withoutPort(text),
  );
  const port = portOf(text);
  const host = match ? (match[1] === undefined ? (match[3] ?? match[4]) : `${match[1]}${match[2] ?? ''}`) : undefined;
  if (host === undefined || port === 'wrong') throw wrong(text);
  const more = port === undefined ? {} : { port };
  const prefix = parsePrefix(host);
  if (prefix) return { prefix, ...more };
  const name = normalName(host.replace(/^\*\./, ''));
  if (name === undefined || /^[\d.]+$/.test(name) || host.includes('/') || host === 'all' || host === 'none')
    throw wrong(text);
  return { name, under: host.startsWith('*.'), ...more };
}

/** A colon is a port's when there is only one, or when it follows a bracket. */
const portPattern = /^([^:]*|\[[^\]]*\](?:\/\d+)?):([^:]*)$/;
const withoutPort = (text: string): string => portPattern.exec(text)?.[1] ?? text;
function portOf(text: string): number | 'wrong' | undefined {
  const port = portPattern.exec(text)?.[2];
  if (port === undefined) return undefined;
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535 ? Number(port) : 'wrong';
}

const wrong = (text: string) =>
  invalid(`invalid outbound rule ${JSON.stringify(text.slice(0, 300))}`, {
    hint: 'A rule is example.com, *.example.com, an address, a CIDR such as 10.0.0.0/8 or host.docker.internal, each with :port if need be; or "all" or "none" alone.',
  });

/** A host name in lower case and without the final dot; undefined when it can be none (RFC 1123, underscores allowed). */
export function normalName(text: string): string | undefined {
  const name = text.replace(/\.$/, '').toLowerCase();
  if (name.length === 0 || name.length > 253) return undefined;
  return name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) ? name : undefined;
}
