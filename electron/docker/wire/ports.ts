import { invalid } from '../../base/errors.ts';
import type { ContainerView, PortBinding } from '../../engine/api/index.ts';
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
    out[parsePort(key)] = bindings.list(key).map((binding) => {
      const hostPort = binding.text('HostPort') ?? '';
      const hostIp = binding.text('HostIp') ?? '';
      if (!isHostPort(hostPort)) throw invalid(`invalid port specification: "${hostPort}"`);
      if (!/^[0-9a-fA-F.:]*$/.test(hostIp)) throw invalid(`invalid IP address: "${hostIp}"`);
      return { hostIp, hostPort };
    });
  }
  return out;
}

const split = (key: string): { readonly PrivatePort: number; readonly Type: string } => {
  const [port, protocol = 'tcp'] = key.split('/');
  return { PrivatePort: Number(port), Type: protocol };
};

/** Ports of a `ps` row. */
export function portRows(view: ContainerView): readonly Record<string, unknown>[] {
  return exposed(view).map(split);
}

/** NetworkSettings.Ports of inspect: what is really open on the host, so null for everything as long as nothing is. */
export function portMap(view: ContainerView): Record<string, null> {
  if (view.state !== 'running' && view.state !== 'paused') return {};
  return Object.fromEntries(exposed(view).map((key) => [key, null]));
}

function exposed(view: ContainerView): readonly string[] {
  return [...new Set([...view.config.exposedPorts, ...Object.keys(view.config.portBindings)])].sort(
    (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1),
  );
}
