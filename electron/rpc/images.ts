import { toDrydockError } from '../base/errors.ts';
import type { CheckMessage, ImageDetails, RepairMessage } from '../contract/images.ts';
import type { CheckEvent, RepairEvent } from '../engine/api/index.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { failing } from './failure.ts';
import { moduleInfoOf } from './module-info.ts';
import { imageRowOf } from './rows.ts';

async function* checkMessages(events: AsyncIterable<CheckEvent>): AsyncGenerator<CheckMessage> {
  for await (const event of events) {
    if (event.type === 'begin') yield { type: 'progress', current: 0, total: event.total };
    else if (event.type === 'progress') yield event;
    else if (event.type === 'done') {
      const { blobs, images, snapshots, total, open } = event;
      yield { type: 'done', blobs, images, snapshots, total, open };
    } else {
      const { subject: _, images, ...finding } = event.finding;
      yield { type: 'finding', finding: { ...finding, images: [...images] } };
    }
  }
}

async function* repairMessages(events: AsyncIterable<RepairEvent>): AsyncGenerator<RepairMessage> {
  for await (const event of events) yield event.type === 'done' ? { ...event, fetched: [...event.fetched] } : event;
}

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
    check: rpc.images.check.handler(({ signal }) => failing(checkMessages(images.check(signal)))),
    repair: rpc.images.repair.handler(({ input, signal }) =>
      failing(repairMessages(images.repair(input.reference, { auth: 'stored' }, signal))),
    ),
    inspect: rpc.images.inspect.handler(({ input }) => inspect(input.id)),
    tag: rpc.images.tag.handler(({ input }) => images.tag(input.id, input.reference)),
    remove: rpc.images.remove.handler(async ({ input }) => {
      await images.remove(input.reference ?? input.id, { force: input.force, prune: true });
    }),
  };
}
