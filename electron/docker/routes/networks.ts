import { invalid } from '../../base/errors.ts';
import type { NetworksApi } from '../../engine/api/index.ts';
import { readJson } from '../body.ts';
import { param, sendJson, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { anyValue, booleanValue, oneOf, pruneKeys, readFilters } from '../filters.ts';
import type { FilterKeys } from '../filters.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { Fields } from '../wire/fields.ts';
import { networkJson, readEndpoint } from '../wire/network.ts';

export interface NetworksNeeds {
  readonly networks: NetworksApi;
}

export const networkRoutes = ({ networks }: NetworksNeeds): readonly Route[] => [
  route('GET', '/networks', list(networks)),
  route('POST', '/networks/create', create(networks)),
  route('POST', '/networks/prune', prune(networks), { since: '1.25' }),
  route('GET', '/networks/{name}', (call) => sendJson(call, 200, networkJson(networks.get(param(call, 'name'))))),
  route('DELETE', '/networks/{name}', remove(networks)),
  route('POST', '/networks/{name}/connect', connect(networks)),
  route('POST', '/networks/{name}/disconnect', disconnect(networks)),
];

const listKeys: FilterKeys = {
  dangling: booleanValue,
  driver: anyValue,
  id: anyValue,
  label: anyValue,
  name: anyValue,
  scope: oneOf('local', 'swarm', 'global'),
  type: oneOf('builtin', 'custom'),
};

const list = (networks: NetworksApi) => (call: Call) =>
  sendJson(call, 200, networks.list(readFilters(call.query, listKeys)).map(networkJson));

const create = (networks: NetworksApi) => async (call: Call) => {
  const fields = new Fields(await readJson(call.request));
  const driver = fields.filled('Driver');
  const internal = fields.flag('Internal');
  const attachable = fields.flag('Attachable');
  const labels = fields.record('Labels');
  const options = fields.record('Options');
  const pool = fields.child('IPAM').list('Config')[0];
  const subnet = pool?.filled('Subnet');
  const gateway = pool?.filled('Gateway');
  const { id } = await networks.create({
    name: fields.text('Name') ?? '',
    ...(driver ? { driver } : {}),
    ...(internal === undefined ? {} : { internal }),
    ...(attachable === undefined ? {} : { attachable }),
    ...(labels ? { labels } : {}),
    ...(options ? { options } : {}),
    ...(subnet ? { subnet } : {}),
    ...(gateway ? { gateway } : {}),
  });
  sendJson(call, 201, { Id: id, Warning: ignored(fields) });
};

/** What of the request has no effect. */
function ignored(fields: Fields): string {
  const pools = fields.child('IPAM').list('Config');
  return [
    ...(fields.flag('EnableIPv6') ? ['--ipv6 has no effect: containers have IPv4 addresses only'] : []),
    ...(pools.length > 1 ? ['only the first subnet is used'] : []),
    ...(pools[0]?.filled('IPRange') ? ['--ip-range has no effect: addresses are given from the whole subnet'] : []),
    ...(pools[0]?.keys('AuxiliaryAddresses')?.length ? ['--aux-address has no effect'] : []),
  ].join('; ');
}

const remove = (networks: NetworksApi) => async (call: Call) => {
  await networks.remove(param(call, 'name'));
  sendStatus(call, 204);
};

const connect = (networks: NetworksApi) => async (call: Call) => {
  const fields = new Fields(await readJson(call.request));
  const { aliases, ...request } = readEndpoint(fields.child('EndpointConfig'));
  await networks.connect(param(call, 'name'), container(fields), aliases, request);
  sendStatus(call, 200);
};

const disconnect = (networks: NetworksApi) => async (call: Call) => {
  const fields = new Fields(await readJson(call.request));
  await networks.disconnect(param(call, 'name'), container(fields), { force: fields.flag('Force') ?? false });
  sendStatus(call, 200);
};

function container(fields: Fields): string {
  const name = fields.filled('Container');
  if (!name) throw invalid('Container is missing: name the container');
  return name;
}

const prune = (networks: NetworksApi) => async (call: Call) => {
  const { deleted } = await networks.prune(readFilters(call.query, pruneKeys));
  sendJson(call, 200, { NetworksDeleted: deleted.length > 0 ? deleted : null });
};
