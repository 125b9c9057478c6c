import { notFound, unavailable, unsupported } from '../../base/errors.ts';
import { drain } from '../body.ts';
import { param, sendJson } from '../call.ts';
import type { Call } from '../call.ts';
import { route } from '../router.ts';
import type { Handler, Route } from '../router.ts';

export const BUILDKIT_REFUSAL = 'BuildKit is not supported by Drydock; set DOCKER_BUILDKIT=0';

/** What clients may ask for and do not get, each with its reason: the honest answer instead of "page not found" (docker-api.md §11, §13). */
export const refusalRoutes = (): readonly Route[] => [
  route('POST', '/session', refuse(BUILDKIT_REFUSAL)),
  route('POST', '/grpc', refuse(BUILDKIT_REFUSAL)),

  route('GET', '/plugins', (call) => sendJson(call, 200, [])),
  route('GET', '/plugins/{name*}/json', unknownPlugin),
  route('POST', '/plugins/{rest*}', refuse('plugins are not supported: there is nothing to plug them into')),
  route('DELETE', '/plugins/{name*}', unknownPlugin),

  route('POST', '/swarm/leave', notInSwarm),
  route('POST', '/swarm/{verb}', refuse('Drydock does not support swarm mode')),
  ...['swarm', 'services', 'nodes', 'tasks', 'secrets', 'configs'].flatMap((noun) => [
    route('GET', `/${noun}`, notInSwarm),
    route('GET', `/${noun}/{rest*}`, notInSwarm),
    route('POST', `/${noun}/{rest*}`, notInSwarm),
    route('DELETE', `/${noun}/{rest*}`, notInSwarm),
  ]),
  route('GET', '/containers/{name}/checkpoints', refuse('checkpoints are not supported')),
  route('POST', '/containers/{name}/checkpoints', refuse('checkpoints are not supported')),
];

function refuse(reason: string): Handler {
  return async (call) => {
    await drain(call.request);
    throw unsupported(reason);
  };
}

function unknownPlugin(call: Call): never {
  throw notFound(`plugin "${param(call, 'name')}" not found`);
}

async function notInSwarm(call: Call): Promise<void> {
  await drain(call.request);
  throw unavailable(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}
