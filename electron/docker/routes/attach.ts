import { conflict } from '../../base/errors.ts';
import type { ContainersApi } from '../../engine/api/index.ts';
import { param } from '../call.ts';
import type { Call } from '../call.ts';
import { bodyBeforeUpgrade, hijack } from '../hijack.ts';
import { flag } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';

export interface AttachNeeds {
  readonly containers: Pick<ContainersApi, 'attach' | 'get'>;
}

export const attachRoutes = (engine: AttachNeeds): readonly Route[] => [
  route('POST', '/containers/{name}/attach', attach(engine), { hijacks: true }),
];

const attach = (engine: AttachNeeds) => async (call: Call) => {
  // dockerode sends its options as a body as well; it is not stdin.
  const { rest } = await bodyBeforeUpgrade(call);
  const { id, state, config } = engine.containers.get(param(call, 'name'));
  if (state === 'paused') throw conflict(`container ${id} is paused, unpause the container before attach`);
  if (state === 'restarting') throw conflict(`container ${id} is restarting, wait until the container is running`);
  const attachment = engine.containers.attach(id, {
    stdin: flag(call.query, 'stdin'),
    stdout: flag(call.query, 'stdout'),
    stderr: flag(call.query, 'stderr'),
    logs: flag(call.query, 'logs'),
    stream: flag(call.query, 'stream'),
  });
  // With a TTY the end of the connection is a detach (ctrl-p ctrl-q of the CLI), not the user's ^D.
  await hijack(call, attachment, rest, config.stdinOnce && !config.tty);
};
