import { rpc, type RouterDeps } from './deps.ts';

/** settings.*: the person's choices. Other windows hear of a change through events.watch. */
export function settingsRouter({ settings }: RouterDeps) {
  return {
    get: rpc.settings.get.handler(() => settings.get()),
    set: rpc.settings.set.handler(({ input }) => settings.set(input)),
  };
}
