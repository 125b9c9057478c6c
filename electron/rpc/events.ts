import { rpc } from './deps.ts';
import type { Watch } from './watch.ts';

/** events.watch: see watch.ts. */
export const eventsRouter = (watch: Watch) => ({
  watch: rpc.events.watch.handler(({ signal }) => watch.watch(signal)),
});
