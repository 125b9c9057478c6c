import type { NetworkView } from '../../engine/api/index.ts';

/** A network as lists and inspect answer it. */
export function networkJson(view: NetworkView): Record<string, unknown> {
  const length = view.subnet.split('/')[1];
  const address = (ip: string): string => (ip && length ? `${ip}/${length}` : ip);
  return {
    Name: view.name,
    Id: view.id,
    Created: view.created,
    Scope: 'local',
    Driver: view.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: view.subnet ? [{ Subnet: view.subnet, ...(view.gateway ? { Gateway: view.gateway } : {}) }] : [],
    },
    Internal: view.internal,
    Attachable: view.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      view.containers.map((member) => [
        member.id,
        {
          Name: member.name,
          EndpointID: '',
          MacAddress: member.macAddress,
          IPv4Address: address(member.ipAddress),
          IPv6Address: '',
        },
      ]),
    ),
    Options: view.options,
    Labels: view.labels,
  };
}
