/** The filters of `docker ps` (docker-api.md §8), made into one test a container. */
import { invalid, kindOf } from '../../base/errors.ts';
import type { ContainersApi, ContainerView, Filters, ImagesApi } from '../api/index.ts';
import { labelsMatch } from '../filters.ts';

const states = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

type Test = (view: ContainerView) => boolean;

interface World {
  readonly get: ContainersApi['get'];
  readonly images: Pick<ImagesApi, 'get'>;
}

/** Keys are ANDed, values of a key ORed, labels ANDed. @throws invalid, notFound (before, since) */
export function containerFilter(filters: Filters, world: World): Test {
  const tests: Test[] = [];
  for (const [key, values] of filters) if (values.length > 0) tests.push(testOf(key, values, world));
  return (view) => tests.every((test) => test(view));
}

/** Whether stopped containers were asked for: a filter for a state implies them. */
export const impliesAll = (filters: Filters): boolean =>
  ['status', 'exited', 'before', 'since'].some((key) => (filters.get(key)?.length ?? 0) > 0);

function testOf(key: string, values: readonly string[], world: World): Test {
  switch (key) {
    case 'id':
      return ({ id }) => values.some((value) => id.startsWith(value));
    case 'name': {
      const wanted = values.map(expression);
      return ({ name }) => wanted.some((each) => each.test(name) || each.test(`/${name}`));
    }
    case 'label':
      return ({ config }) => labelsMatch(values, config.labels);
    case 'status':
      for (const value of values) if (!states.includes(value)) throw invalid(`invalid filter 'status=${value}'`);
      return ({ state }) => values.includes(state);
    case 'exited': {
      const codes = values.map((value) => {
        if (!/^-?\d+$/.test(value)) throw invalid(`invalid filter 'exited=${value}'`);
        return Number(value);
      });
      return ({ state, exitCode, startedAt }) =>
        state !== 'running' && state !== 'paused' && !startedAt.startsWith('0001') && codes.includes(exitCode);
    }
    case 'ancestor':
      return descendantOf(values, world);
    case 'before': {
      const bounds = values.map((value) => world.get(value).created);
      return ({ created }) => bounds.some((bound) => created < bound);
    }
    case 'since': {
      const bounds = values.map((value) => world.get(value).created);
      return ({ created }) => bounds.some((bound) => created > bound);
    }
    case 'volume':
      return ({ mounts }) =>
        mounts.some(({ name, source, target }) =>
          values.some((value) => value === name || value === target || value === source),
        );
    case 'network':
      return ({ networks }) =>
        networks.some(({ name, networkId }) =>
          values.some((value) => value === name || (value !== '' && networkId.startsWith(value))),
        );
    case 'publish': {
      const wanted = values.map(portRange);
      // By the port of the guest, as docker's manual has it, or of the host, as moby does.
      return ({ config, ports }) =>
        [
          ...Object.keys(config.portBindings),
          ...ports.flatMap(({ port, hostPort, protocol }) => [`${port}/${protocol}`, `${hostPort}/${protocol}`]),
        ].some((port) => wanted.some((each) => each(port)));
    }
    case 'expose': {
      const wanted = values.map(portRange);
      return ({ config }) => config.exposedPorts.some((port) => wanted.some((each) => each(port)));
    }
    case 'health':
      return ({ health }) => values.includes(health?.status ?? 'none');
    case 'isolation':
      return ({ config }) => values.includes(config.isolation) || values.includes('default');
    case 'is-task':
      // There are no tasks of a swarm.
      return () => values.some((value) => ['0', 'false', 'False'].includes(value));
    default:
      throw invalid(`invalid filter '${key}'`);
  }
}

function expression(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw invalid(`invalid filter 'name=${text}': ${error instanceof Error ? error.message : ''}`, { cause: error });
  }
}

/** "80", "80/udp", "8000-8010/tcp"; without a protocol tcp. @throws invalid */
function portRange(text: string): (port: string) => boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (!match) throw invalid(`invalid port in filter: ${text}`);
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return (port) => {
    const [number = '', protocol = 'tcp'] = port.split('/');
    return Number(number) >= from && Number(number) <= to && protocol === (match[3] ?? 'tcp');
  };
}

/** An image by name or id, and every image built on top of it. One that is not there has no descendants. */
function descendantOf(values: readonly string[], { images }: World): Test {
  const lookUp = (ref: string): { readonly id: string; readonly layers: readonly string[] } | undefined => {
    try {
      return images.get(ref);
    } catch (error) {
      if (kindOf(error) !== 'notFound' && kindOf(error) !== 'invalid') throw error;
      return undefined;
    }
  };
  const wanted = values.map(lookUp).filter((image) => image !== undefined);
  const answers = new Map<string, boolean>();
  const isDescendant = (imageId: string): boolean => {
    if (wanted.some(({ id }) => id === imageId)) return true;
    const own = lookUp(imageId)?.layers;
    return (
      own !== undefined &&
      wanted.some(({ layers }) => layers.length > 0 && layers.every((layer, i) => layer === own[i]))
    );
  };
  return ({ imageId }) => {
    const known = answers.get(imageId);
    if (known !== undefined) return known;
    const answer = isDescendant(imageId);
    answers.set(imageId, answer);
    return answer;
  };
}
