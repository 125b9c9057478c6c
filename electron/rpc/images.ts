import { toDrydockError } from '../base/errors.ts';
import type { ImageDetails } from '../contract/images.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { moduleInfoOf } from './module-info.ts';
import { imageRowOf } from './rows.ts';

/** images.*: what the Run dialog and the list need. */
export function imagesRouter(deps: RouterDeps) {
  const { containers, images } = deps.engine;

  const inspect = async (ref: string): Promise<ImageDetails> => {
    const view = images.get(ref);
    const users = containers.list({ all: true, filters: new Map() }).filter((user) => user.imageId === view.id);
    const found = await images.module(view.id).then(
      (module) => ({ module, error: '' }),
      (error: unknown) => ({ module: undefined, error: toDrydockError(error).message }),
    );
    return {
      row: imageRowOf(
        view,
        users.map((user) => user.id),
      ),
      entrypoint: [...(view.config.entrypoint ?? [])],
      command: [...(view.config.command ?? [])],
      env: [...view.config.env],
      workingDir: view.config.workingDir,
      exposedPorts: [...view.config.exposedPorts],
      volumes: [...view.config.volumes],
      modulePath: found.module?.path ?? '',
      module: found.module ? moduleInfoOf(found.module.digest, found.module.description) : null,
      moduleError: found.error,
      inspect: deps.inspectImage(view),
    };
  };

  return {
    inspect: rpc.images.inspect.handler(({ input }) => inspect(input.id)),
    tag: rpc.images.tag.handler(({ input }) => images.tag(input.id, input.reference)),
    remove: rpc.images.remove.handler(async ({ input }) => {
      await images.remove(input.reference ?? input.id, { force: input.force, prune: true });
    }),
  };
}
