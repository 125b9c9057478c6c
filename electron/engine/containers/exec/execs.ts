/** The verbs of `docker exec`, put together as the API that the doors see. */
import type { Attachment, ExecsApi } from '../../api/index.ts';
import type { Context } from '../context.ts';
import { create } from './create.ts';
import { endExec } from './end.ts';
import type { Exec } from './exec.ts';
import { findExec } from './find.ts';
import { resizeExec } from './resize.ts';
import { startExec } from './start.ts';
import { execView } from './view.ts';

export function openExecs(context: Context): ExecsApi {
  return {
    create: (container, spec) => create(context, container, spec),
    attach(id, { consoleSize } = {}) {
      const exec = findExec(context, id);
      if (consoleSize && exec.state === 'created') exec.consoleSize = consoleSize;
      startExec(context, exec);
      return attachmentOf(exec);
    },
    async detach(id) {
      const exec = findExec(context, id);
      startExec(context, exec);
      exec.stdin.end();
      exec.output?.close();
      await exec.begun;
      if (exec.failure) throw exec.failure;
    },
    wait: (id) => findExec(context, id).ended,
    get: (id) => execView(findExec(context, id)),
    list: (container) => context.store.find(container).execs.present().map(execView),
    resize: (id, rows, columns) => resizeExec(context, id, rows, columns),
    end: async (id) => endExec(findExec(context, id)),
  };
}

function attachmentOf(exec: Exec): Attachment {
  const { stdin, output, spec } = exec;
  if (!output) throw new Error(`exec ${exec.id} was not started`);
  return {
    tty: spec.tty === true,
    output: output.read(),
    stdin: spec.attachStdin ? { write: (bytes) => stdin.write(bytes), end: () => stdin.end() } : undefined,
    close: () => output.close(),
  };
}
