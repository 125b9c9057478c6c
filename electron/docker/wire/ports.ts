import { isIP } from 'node:net';
import { invalid } from '../../base/errors.ts';
import type { ContainerView, PortBinding, PublishedPort } from '../../engine/api/index.ts';
import type { Fields } from './fields.ts';

/** "80", "80/tcp" → "80/tcp". @throws invalid */
export function parsePort(text: string): string {
  const [port = '', protocol = 'tcp', ...rest] = text.split('/');
  if (rest.length > 0 || !isPort(port)) throw invalid(`invalid port specification: "${text}"`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase()))
    throw invalid(`invalid port specification: "${text}": unknown protocol ${protocol}`);
  return `${Number(port)}/${protocol.toLowerCase()}`;
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;

/** `''` (any), a port, or a range "8000-8010". */
function isHostPort(text: string): boolean {
  if (text === '' || text === '0') return true;
  const [from = '', to = from, ...rest] = text.split('-');
  return rest.length === 0 && isPort(from) && isPort(to) && Number(from) <= Number(to);
}

/** HostConfig.PortBindings: `{"80/tcp":[{HostIp,HostPort}]}`; a null list means a free port. @throws invalid */
export function readPortBindings(host: Fields): Readonly<Record<string, readonly PortBinding[]>> {
  const out: Record<string, readonly PortBinding[]> = {};
  const bindings = host.child('PortBindings');
  for (const key of Object.keys(bindings.raw)) {
    const port = parsePort(key);
    const read = bindings.list(key).map((binding) => {
      const hostPort = binding.text('HostPort') ?? '';
      const hostIp = binding.text('HostIp') ?? '';
      if (!isHostPort(hostPort)) throw invalid(`invalid port specification: "${hostPort}"`);
      // With a zone (fe80::1%eth0) it is no address for moby either.
      if (hostIp !== '' && (isIP(hostIp) === 0 || hostIp.includes('%')))
        throw invalid(`invalid IP address: "${hostIp}"`);
      return { hostIp, hostPort };
    });
    // "80" and "80/tcp" are one.
    out[port] = [...(out[port] ?? []), ...read];
  }
  return out;
}

const split = (key: string): { readonly PrivatePort: number; readonly Type: string } => {
  const [port, protocol = 'tcp'] = key.split('/');
  return { PrivatePort: Number(port), Type: protocol };
};

const keyOf = ({ port, protocol }: PublishedPort): string => `${port}/${protocol}`;

/** Ports of a `ps` row: what is open on the host, then what is only exposed. As in moby, a container that does not run shows none. */
export function portRows(view: ContainerView): readonly Record<string, unknown>[] {
  const open = byKey(view);
  return portKeys(view).flatMap(
    (key): readonly Record<string, unknown>[] =>
      open.get(key)?.map(({ hostIp, hostPort }) => ({ IP: hostIp, ...split(key), PublicPort: hostPort })) ?? [
        split(key),
      ],
  );
}

/** NetworkSettings.Ports of inspect: null for what is exposed and not open on the host. */
export function portMap(view: ContainerView): Record<string, readonly Record<string, string>[] | null> {
  const open = byKey(view);
  return Object.fromEntries(
    portKeys(view).map((key) => {
      const bindings = open.get(key)?.map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: String(hostPort) }));
      return [key, bindings ?? null];
    }),
  );
}

/** A container may have tens of thousands. */
const byKey = ({ ports }: ContainerView): ReadonlyMap<string, readonly PublishedPort[]> => Map.groupBy(ports, keyOf);

function portKeys(view: ContainerView): readonly string[] {
  if (view.state !== 'running' && view.state !== 'paused') return [];
  return [...new Set([...view.config.exposedPorts, ...view.ports.map(keyOf)])].sort(
    (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1),
  );
}
