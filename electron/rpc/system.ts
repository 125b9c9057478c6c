import { rpc, type RouterDeps } from './deps.ts';
import { diskBytes, summaryOf } from './rows.ts';

/** system.*: the status bar's figures, measured for this call. */
export const systemRouter = (deps: RouterDeps) => ({
  summary: rpc.system.summary.handler(async () =>
    summaryOf(deps.engine, deps, diskBytes(await deps.engine.system.diskUsage())),
  ),
});
