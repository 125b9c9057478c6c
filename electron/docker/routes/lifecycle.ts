import { DrydockError, invalid } from '../../base/errors.ts';
import type { ContainersApi, WaitCondition } from '../../engine/api/index.ts';
import { drain } from '../body.ts';
import { param, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { integer, text } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';

export interface LifecycleNeeds {
  readonly containers: Pick<
    ContainersApi,
    'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'unpause' | 'wait' | 'resize'
  >;
}

export const lifecycleRoutes = ({ containers }: LifecycleNeeds): readonly Route[] => [
  route('POST', '/containers/{name}/start', start(containers)),
  route('POST', '/containers/{name}/stop', stop(containers)),
  route('POST', '/containers/{name}/restart', restart(containers)),
  route('POST', '/containers/{name}/kill', kill(containers)),
  route('POST', '/containers/{name}/pause', pause(containers)),
  route('POST', '/containers/{name}/unpause', unpause(containers)),
  route('POST', '/containers/{name}/resize', resize(containers)),
  route('POST', '/containers/{name}/wait', wait(containers)),
];

type Containers = LifecycleNeeds['containers'];

const start = (containers: Containers) => async (call: Call) => {
  // Bodies (a HostConfig, before 1.24) are ignored, but must be read.
  await drain(call.request);
  const started = await containers.start(param(call, 'name')).catch((error: unknown) => {
    throw isStartFailure(error) ? invalid(error.message, { hint: error.hint, cause: error }) : error;
  });
  sendStatus(call, started ? 204 : 304);
};

/** A program that is missing or cannot run is the request's fault (400): 404 here would say that the container is missing. */
const isStartFailure = (error: unknown): error is DrydockError =>
  error instanceof DrydockError && (error.data['exitCode'] === 126 || error.data['exitCode'] === 127);

const stop = (containers: Containers) => async (call: Call) => {
  const stopped = await containers.stop(param(call, 'name'), {
    timeout: integer(call.query, 't'),
    signal: text(call.query, 'signal'),
  });
  sendStatus(call, stopped ? 204 : 304);
};

const restart = (containers: Containers) => async (call: Call) => {
  await containers.restart(param(call, 'name'), {
    timeout: integer(call.query, 't'),
    signal: text(call.query, 'signal'),
  });
  sendStatus(call, 204);
};

const kill = (containers: Containers) => async (call: Call) => {
  await containers.kill(param(call, 'name'), text(call.query, 'signal'));
  sendStatus(call, 204);
};

const pause = (containers: Containers) => async (call: Call) => {
  await containers.pause(param(call, 'name'));
  sendStatus(call, 204);
};

const unpause = (containers: Containers) => async (call: Call) => {
  await containers.unpause(param(call, 'name'));
  sendStatus(call, 204);
};

const resize = (containers: Containers) => async (call: Call) => {
  const rows = integer(call.query, 'h');
  const columns = integer(call.query, 'w');
  if (rows === undefined || columns === undefined || rows < 0 || columns < 0)
    throw invalid('resize needs h and w: the height and width of the terminal in characters');
  await containers.resize(param(call, 'name'), rows, columns);
  sendStatus(call, 200);
};

const conditions: readonly WaitCondition[] = ['not-running', 'next-exit', 'removed'];

const wait = (containers: Containers) => async (call: Call) => {
  const asked = text(call.query, 'condition') ?? 'not-running';
  const condition = conditions.find((each) => each === asked);
  if (!condition) throw invalid(`invalid condition: "${asked}"`, { hint: `choose ${conditions.join(', ')}` });
  const { result } = containers.wait(param(call, 'name'), condition, call.gone);
  // Registered: the client starts the container only after it has seen these headers.
  call.response.writeHead(200, { 'Content-Type': 'application/json' });
  call.response.flushHeaders();
  const { exitCode, error } = await result;
  call.response.end(
    `${JSON.stringify({ StatusCode: exitCode, Error: error === undefined ? null : { Message: error } })}\n`,
  );
};
