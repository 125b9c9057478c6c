import { invalid } from '../../base/errors.ts';
import type { ContainersApi } from '../../engine/api/index.ts';
import { param } from '../call.ts';
import type { Call } from '../call.ts';
import { flag } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { write } from '../streams.ts';
import { statsJson } from '../wire/stats.ts';

export interface StatsNeeds {
  readonly containers: Pick<ContainersApi, 'get' | 'stats'>;
}

export const statsRoutes = (engine: StatsNeeds): readonly Route[] => [
  route('GET', '/containers/{name}/stats', stats(engine)),
];

const stats = (engine: StatsNeeds) => async (call: Call) => {
  const stream = flag(call.query, 'stream', true);
  const oneShot = flag(call.query, 'one-shot');
  if (stream && oneShot) throw invalid('cannot have stream=true and one-shot=true');
  const { id } = engine.containers.get(param(call, 'name'));
  const samples = engine.containers.stats(id, { stream, oneShot }, call.gone);
  call.response.writeHead(200, { 'Content-Type': 'application/json' });
  if (stream) call.response.flushHeaders();
  for await (const sample of samples) {
    if (!(await write(call.response, `${JSON.stringify(statsJson(sample))}\n`))) return;
    if (!stream) break;
  }
  call.response.end();
};
