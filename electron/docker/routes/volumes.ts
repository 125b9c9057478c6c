import type { VolumesApi } from '../../engine/api/index.ts';
import { readJson } from '../body.ts';
import { param, sendJson, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { anyValue, booleanValue, readFilters } from '../filters.ts';
import type { FilterKeys } from '../filters.ts';
import { flag } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { atLeast } from '../versions.ts';
import { Fields } from '../wire/fields.ts';
import { volumeJson } from '../wire/volume.ts';

export interface VolumesNeeds {
  readonly volumes: VolumesApi;
}

export const volumeRoutes = ({ volumes }: VolumesNeeds): readonly Route[] => [
  route('GET', '/volumes', list(volumes)),
  route('POST', '/volumes/create', create(volumes)),
  route('POST', '/volumes/prune', prune(volumes), { since: '1.25' }),
  route('GET', '/volumes/{name}', (call) => sendJson(call, 200, volumeJson(volumes.get(param(call, 'name'))))),
  route('DELETE', '/volumes/{name}', remove(volumes)),
];

const listKeys: FilterKeys = { dangling: booleanValue, driver: anyValue, label: anyValue, name: anyValue };

const list = (volumes: VolumesApi) => (call: Call) => {
  const views = volumes.list(readFilters(call.query, listKeys));
  sendJson(call, 200, { Volumes: views.map((view) => volumeJson(view)), Warnings: null });
};

const create = (volumes: VolumesApi) => async (call: Call) => {
  const fields = new Fields(await readJson(call.request));
  const labels = fields.record('Labels');
  const options = fields.record('DriverOpts');
  const driver = fields.filled('Driver');
  const view = await volumes.create({
    name: fields.text('Name') ?? '',
    ...(labels ? { labels } : {}),
    ...(options ? { options } : {}),
    ...(driver ? { driver } : {}),
  });
  sendJson(call, 201, volumeJson(view));
};

const remove = (volumes: VolumesApi) => async (call: Call) => {
  await volumes.remove(param(call, 'name'), { force: flag(call.query, 'force') });
  sendStatus(call, 204);
};

const pruneKeys: FilterKeys = { all: booleanValue, label: anyValue, 'label!': anyValue };

const prune = (volumes: VolumesApi) => async (call: Call) => {
  const filters = new Map(readFilters(call.query, pruneKeys));
  const asked = filters.get('all')?.some((value) => /^(1|true)$/i.test(value)) ?? false;
  filters.delete('all');
  // Up to 1.41 named volumes were pruned too.
  const all = asked || !atLeast(call.version, '1.42');
  const { deleted, reclaimed } = await volumes.prune(filters, { all });
  sendJson(call, 200, { VolumesDeleted: deleted, SpaceReclaimed: reclaimed });
};
