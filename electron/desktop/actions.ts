import { toDrydockError, type DrydockError } from '../base/errors.ts';
import type { EngineApi } from '../engine/api/index.ts';

export type Action = 'stop' | 'restart' | 'start' | 'pause' | 'unpause';

/** Does one thing to many containers, all at once. Returns what did not work, by name; a container that is gone or already so is as wanted. */
export async function actOn(
  engine: EngineApi,
  action: Action,
  ids: readonly string[],
): Promise<readonly { readonly name: string; readonly error: DrydockError }[]> {
  const results = await Promise.all(
    ids.map(async (id) => {
      let name = id.slice(0, 12);
      try {
        name = engine.containers.get(id).name;
        await engine.containers[action](id);
        return undefined;
      } catch (thrown) {
        const error = toDrydockError(thrown);
        return error.kind === 'notFound' || error.kind === 'notModified' ? undefined : { name, error };
      }
    }),
  );
  return results.filter((result) => result !== undefined);
}
