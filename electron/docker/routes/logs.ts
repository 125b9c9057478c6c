import { invalid } from '../../base/errors.ts';
import type { ContainersApi } from '../../engine/api/index.ts';
import { param } from '../call.ts';
import type { Call } from '../call.ts';
import { flag, timestamp } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { outputEncoder, outputType, write } from '../streams.ts';
import { logDetails } from '../wire/logging.ts';

export interface LogsNeeds {
  readonly containers: Pick<ContainersApi, 'get' | 'logs'>;
}

export const logsRoutes = (engine: LogsNeeds): readonly Route[] => [
  route('GET', '/containers/{name}/logs', logs(engine)),
];

const logs = (engine: LogsNeeds) => async (call: Call) => {
  const { query, response } = call;
  const stdout = flag(query, 'stdout');
  const stderr = flag(query, 'stderr');
  if (!stdout && !stderr) throw invalid('Bad parameters: you must choose at least one stream');
  const { id, config } = engine.containers.get(param(call, 'name'));
  const stream = engine.containers.logs(
    id,
    {
      stdout,
      stderr,
      tail: readTail(query.get('tail')),
      since: positive(timestamp(query, 'since')),
      until: positive(timestamp(query, 'until')),
      follow: flag(query, 'follow'),
    },
    call.gone,
  );
  const encoder = outputEncoder(config.tty, {
    timestamps: flag(query, 'timestamps'),
    details: flag(query, 'details') ? logDetails(config.logOptions, config.labels, config.env) : '',
  });
  response.writeHead(200, { 'Content-Type': outputType(config.tty, call.version) });
  response.flushHeaders();
  for await (const batch of stream) {
    if (!(await write(response, encoder.encode(batch)))) return;
  }
  response.end();
};

/** 'all', '', a negative number and nonsense are all lines, as in moby. */
function readTail(tail: string | null): number | undefined {
  return tail !== null && /^\d{1,15}$/.test(tail) ? Number(tail) : undefined;
}

/** 0 is "no bound": docker-py and the CLI of old send it. */
const positive = (time: bigint | undefined): bigint | undefined => (time !== undefined && time > 0n ? time : undefined);
