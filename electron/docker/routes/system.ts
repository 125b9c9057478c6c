import { invalid } from '../../base/errors.ts';
import type { EventsApi, SystemApi } from '../../engine/api/index.ts';
import { sendJson } from '../call.ts';
import type { Call } from '../call.ts';
import { anyValue, readFilters } from '../filters.ts';
import type { FilterKeys } from '../filters.ts';
import { timestamp } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { write } from '../streams.ts';
import { containerRowJson } from '../wire/container.ts';
import { eventLine } from '../wire/event.ts';
import { buildCacheJson, imageRowJson } from '../wire/image.ts';
import { infoJson, versionJson } from '../wire/system.ts';
import { volumeJson } from '../wire/volume.ts';

export interface SystemNeeds {
  readonly system: SystemApi;
  readonly events: Pick<EventsApi, 'stream'>;
}

export const systemRoutes = (engine: SystemNeeds, version: string): readonly Route[] => [
  route('GET', '/_ping', ping),
  route('HEAD', '/_ping', ping),
  route('GET', '/version', (call) => sendJson(call, 200, versionJson(engine.system.info(), version))),
  route('GET', '/info', (call) => sendJson(call, 200, infoJson(engine.system.info(), version))),
  route('GET', '/events', events(engine)),
  route('GET', '/system/df', diskUsage(engine), { since: '1.25' }),
];

function ping({ request, response }: Call): void {
  const body = request.method === 'HEAD' ? '' : 'OK';
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    'Content-Length': body.length,
  });
  response.end(body);
}

const eventKeys: FilterKeys = Object.fromEntries(
  'config container daemon event image label network node plugin scope secret service type volume'
    .split(' ')
    .map((key) => [key, anyValue]),
);

const events = (engine: SystemNeeds) => async (call: Call) => {
  const since = timestamp(call.query, 'since');
  const until = timestamp(call.query, 'until');
  if (since !== undefined && until !== undefined && until < since)
    throw invalid('`since` time (or default) cannot be after `until` time');
  const filters = readFilters(call.query, eventKeys);
  const stream = engine.events.stream({ since, until, filters }, call.gone);
  call.response.writeHead(200, { 'Content-Type': 'application/json' });
  call.response.flushHeaders();
  for await (const event of stream) {
    if (!(await write(call.response, eventLine(event)))) return;
  }
  call.response.end();
};

const usageTypes = ['container', 'image', 'volume', 'build-cache'];

const diskUsage = (engine: SystemNeeds) => async (call: Call) => {
  const types = call.query.getAll('type');
  const unknown = types.find((type) => !usageTypes.includes(type));
  if (unknown !== undefined) throw invalid(`unknown object type: ${unknown}`);
  const wanted = (type: string): boolean => types.length === 0 || types.includes(type);
  const usage = await engine.system.diskUsage();
  sendJson(call, 200, {
    LayersSize: wanted('image') ? usage.layersSize : 0,
    Images: wanted('image')
      ? usage.images.map(({ image, sharedSize, containers }) =>
          imageRowJson(image, call.version, { sharedSize, containers }),
        )
      : null,
    Containers: wanted('container')
      ? usage.containers.map(({ container, sizeRw, sizeRoot }) =>
          containerRowJson(container, { image: container.config.image, size: { rw: sizeRw, root: sizeRoot } }),
        )
      : null,
    Volumes: wanted('volume')
      ? usage.volumes.map(({ volume, size, refCount }) => volumeJson(volume, { size, refCount }))
      : null,
    BuildCache: wanted('build-cache') ? usage.buildCache.map(buildCacheJson) : null,
    BuilderSize: wanted('build-cache') ? usage.buildCache.reduce((sum, { size }) => sum + size, 0) : 0,
  });
};
