import type { NetworkAccess } from '../contract/networks.ts';
import type { EngineApi } from '../engine/api/index.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { Signal } from './signal.ts';

function accessOf({ networks }: EngineApi, id: string): NetworkAccess {
  const rules = networks.rules(id);
  return {
    rules: typeof rules === 'string' ? rules : [...rules],
    refusals: networks.refusals(id).map((each) => ({ ...each })),
  };
}

/** Begins with what is true now, ends with the signal or the container. */
async function* watchAccess(
  engine: EngineApi,
  ref: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<NetworkAccess, void> {
  const { id } = engine.containers.get(ref);
  const changed = new Signal();
  let dirty = false;
  let gone = false;
  const unsubscribe = engine.events.subscribe(({ type, action, actorId }) => {
    if (type !== 'container' || actorId !== id) return;
    gone ||= action === 'destroy';
    dirty ||= gone || ['net_refuse', 'update', 'start', 'die'].includes(action);
    if (dirty) changed.fire();
  });
  try {
    yield accessOf(engine, id);
    while (!signal?.aborted) {
      if (gone) return;
      if (dirty) {
        dirty = false;
        yield accessOf(engine, id);
      } else await changed.wait(signal);
    }
  } finally {
    unsubscribe();
  }
}

/** networks.*: what a container may reach beyond its networks. */
export function networksRouter({ engine }: RouterDeps) {
  return {
    access: rpc.networks.access.handler(({ input }) => accessOf(engine, input.id)),
    watchAccess: rpc.networks.watchAccess.handler(({ input, signal }) => watchAccess(engine, input.id, signal)),
    setRules: rpc.networks.setRules.handler(({ input }) => engine.networks.setRules(input.id, input.rules)),
  };
}
