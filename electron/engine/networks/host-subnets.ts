/** The networks that the host itself is on: a virtual one with the same addresses would hide it from the containers. */
import { networkInterfaces } from 'node:os';
import { parseSubnet, type Subnet } from './subnets.ts';

export function hostSubnets(interfaces: typeof networkInterfaces = networkInterfaces): readonly Subnet[] {
  return Object.values(interfaces())
    .flat()
    .flatMap((each) => {
      if (!each || each.family !== 'IPv4' || each.internal || each.cidr === null) return [];
      try {
        return parseSubnet(each.cidr);
      } catch {
        return []; // Point to point: one address, nothing to hide.
      }
    });
}
