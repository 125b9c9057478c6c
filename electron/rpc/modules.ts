import { denied } from '../base/errors.ts';
import { rpc, type RouterDeps } from './deps.ts';
import type { Staging } from './staging.ts';

/** modules.*: files that become images. */
export function modulesRouter(deps: RouterDeps, staging: Staging) {
  return {
    stagePath: rpc.modules.stagePath.handler(({ input }) => {
      if (!deps.allowPaths) {
        throw denied('Files cannot be named by path from a browser', { hint: 'Drop the file on the window instead.' });
      }
      return staging.addFile(input.path);
    }),
    importStaged: rpc.modules.importStaged.handler(({ input }) => staging.import(input.stageId, input.reference)),
    discardStaged: rpc.modules.discardStaged.handler(({ input }) => staging.discard(input.stageId)),
  };
}
