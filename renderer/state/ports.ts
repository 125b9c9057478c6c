import type { ContainerRow } from '../../electron/contract/containers.ts';
import { isAlive } from './face.ts';

export interface PortShown {
  /** Different for each of a row. */
  readonly key: string;
  readonly hostPort: number;
  readonly port: number;
  readonly protocol: string;
  /** "localhost:8080", or with the one address of this computer that it is open at. */
  readonly text: string;
  /** For a browser; undefined for what no browser speaks (udp) and for a container that does not run. */
  readonly url: string | undefined;
}

/** Ports of this computer that lead to the container, as far as their numbers are known. */
export function portsShown(row: ContainerRow): readonly PortShown[] {
  return row.ports
    .filter(({ hostPort }) => hostPort > 0)
    .map(({ hostIp, hostPort, port, protocol }) => ({
      key: `${hostIp} ${hostPort} ${port}/${protocol}`,
      hostPort,
      port,
      protocol,
      text: `${isAnywhere(hostIp) ? 'localhost' : bracketed(hostIp)}:${hostPort}`,
      url: isAlive(row) && protocol === 'tcp' ? `http://${reachable(hostIp)}:${hostPort}` : undefined,
    }));
}

const isAnywhere = (hostIp: string): boolean => ['', '0.0.0.0', '::'].includes(hostIp);
const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** An address at which this computer reaches it. By number: `localhost` may be tried at the wrong one of the two first. */
function reachable(hostIp: string): string {
  if (hostIp === '::') return '[::1]';
  return isAnywhere(hostIp) ? '127.0.0.1' : bracketed(hostIp);
}
