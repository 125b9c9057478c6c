import { invalid } from '../../base/errors.ts';
import type { ContainersApi, ContainerUpdate, ContainerView, ImagesApi } from '../../engine/api/index.ts';
import { readJson } from '../body.ts';
import { param, sendJson, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { anyValue, booleanValue, oneOf, pruneKeys, readFilters } from '../filters.ts';
import type { FilterKeys } from '../filters.ts';
import { flag, integer, text } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { containerInspectJson, containerRowJson } from '../wire/container.ts';
import { readCreate, readRestartPolicy } from '../wire/create.ts';
import { Fields } from '../wire/fields.ts';
import { readMemory, readNanoCpus, readPidsLimit } from '../wire/limits.ts';

export interface ContainersNeeds {
  readonly containers: Pick<
    ContainersApi,
    'create' | 'get' | 'list' | 'size' | 'remove' | 'rename' | 'update' | 'prune' | 'top'
  >;
  readonly images: Pick<ImagesApi, 'get'>;
}

export const containerRoutes = (engine: ContainersNeeds): readonly Route[] => [
  route('GET', '/containers/json', list(engine)),
  route('POST', '/containers/create', create(engine)),
  route('POST', '/containers/prune', prune(engine), { since: '1.25' }),
  route('GET', '/containers/{name}/json', inspect(engine)),
  route('GET', '/containers/{name}/top', top(engine)),
  route('POST', '/containers/{name}/rename', rename(engine)),
  route('POST', '/containers/{name}/update', update(engine)),
  route('DELETE', '/containers/{name}', remove(engine)),
];

const create = (engine: ContainersNeeds) => async (call: Call) => {
  const body = await readJson(call.request);
  const { spec, warnings } = readCreate(body, {
    name: text(call.query, 'name'),
    platform: text(call.query, 'platform'),
  });
  const created = await engine.containers.create(spec);
  sendJson(call, 201, { Id: created.id, Warnings: [...warnings, ...created.warnings] });
};

const listKeys: FilterKeys = {
  ancestor: anyValue,
  before: anyValue,
  exited: (value) => /^-?\d+$/.test(value),
  expose: anyValue,
  health: oneOf('starting', 'healthy', 'unhealthy', 'none'),
  id: anyValue,
  isolation: anyValue,
  'is-task': booleanValue,
  label: anyValue,
  name: isExpression,
  network: anyValue,
  publish: anyValue,
  since: anyValue,
  status: oneOf('created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'),
  volume: anyValue,
};

function isExpression(value: string): boolean {
  try {
    new RegExp(value);
    return true;
  } catch {
    return false;
  }
}

const list = (engine: ContainersNeeds) => async (call: Call) => {
  const filters = readFilters(call.query, listKeys);
  const asked = integer(call.query, 'limit') ?? 0;
  // docker-py sends limit=-1 for "no limit"; a limit implies stopped containers too.
  const limit = asked > 0 ? asked : undefined;
  const all = flag(call.query, 'all') || limit !== undefined;
  const views = engine.containers.list({ all, limit, filters });
  const shown = imageNames(engine.images);
  const sizes = flag(call.query, 'size');
  const rows = [];
  for (const view of views) {
    const size = sizes ? await engine.containers.size(view.id) : undefined;
    rows.push(containerRowJson(view, { image: shown(view), size }));
  }
  sendJson(call, 200, rows);
};

/** The name given at create, as long as it still means the same image; else the image's id. Asks once for each name. */
function imageNames(images: Pick<ImagesApi, 'get'>): (view: ContainerView) => string {
  const ids = new Map<string, string | undefined>();
  return ({ config: { image }, imageId }) => {
    if (!ids.has(image)) {
      try {
        ids.set(image, images.get(image).id);
      } catch {
        ids.set(image, undefined);
      }
    }
    return ids.get(image) === imageId ? image : imageId;
  };
}

const inspect = (engine: ContainersNeeds) => async (call: Call) => {
  const view = engine.containers.get(param(call, 'name'));
  const size = flag(call.query, 'size') ? await engine.containers.size(view.id) : undefined;
  sendJson(call, 200, containerInspectJson(view, { size }));
};

const top = (engine: ContainersNeeds) => async (call: Call) => {
  // ps_args is for ps(1); there is one table here.
  const { titles, processes } = await engine.containers.top(param(call, 'name'));
  sendJson(call, 200, { Titles: titles, Processes: processes });
};

const rename = (engine: ContainersNeeds) => async (call: Call) => {
  await engine.containers.rename(param(call, 'name'), call.query.get('name') ?? '');
  sendStatus(call, 204);
};

const update = (engine: ContainersNeeds) => async (call: Call) => {
  const fields = new Fields(await readJson(call.request));
  // The CLI sends every field; zero and '' mean "as it was".
  const restartPolicy = readRestartPolicy(fields.child('RestartPolicy'));
  const memory = readMemory(fields);
  const nanoCpus = readNanoCpus(fields);
  const pidsLimit = readPidsLimit(fields);
  const change: ContainerUpdate = {
    ...(memory ? { memory } : {}),
    ...(nanoCpus ? { nanoCpus } : {}),
    ...(pidsLimit === undefined ? {} : { pidsLimit }),
    ...(restartPolicy ? { restartPolicy } : {}),
    hostConfig: {
      ...(memory ? { Memory: memory } : {}),
      ...(nanoCpus ? { NanoCpus: nanoCpus } : {}),
      ...(pidsLimit === undefined ? {} : { PidsLimit: pidsLimit }),
      ...(restartPolicy
        ? { RestartPolicy: { Name: restartPolicy.name, MaximumRetryCount: restartPolicy.maximumRetryCount } }
        : {}),
    },
  };
  const { warnings } = await engine.containers.update(param(call, 'name'), change);
  sendJson(call, 200, { Warnings: warnings.length > 0 ? warnings : null });
};

const remove = (engine: ContainersNeeds) => async (call: Call) => {
  if (flag(call.query, 'link')) throw invalid('links between containers do not exist here, so none can be removed');
  await engine.containers.remove(param(call, 'name'), {
    force: flag(call.query, 'force'),
    volumes: flag(call.query, 'v'),
  });
  sendStatus(call, 204);
};

const prune = (engine: ContainersNeeds) => async (call: Call) => {
  const { deleted, reclaimed } = await engine.containers.prune(readFilters(call.query, pruneKeys));
  sendJson(call, 200, { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
};
