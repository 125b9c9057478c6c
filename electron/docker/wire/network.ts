import type { EndpointRequest, NetworkView } from '../../engine/api/index.ts';
import type { Fields } from './fields.ts';

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
          EndpointID: member.endpointId ?? '',
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

/** EndpointSettings of a create or connect request: aliases, and the address of `--ip`. */
export function readEndpoint(endpoint: Fields): EndpointRequest {
  const ipv4Address = endpoint.child('IPAMConfig').filled('IPv4Address');
  return { aliases: endpoint.texts('Aliases') ?? [], ...(ipv4Address === undefined ? {} : { ipv4Address }) };
}
