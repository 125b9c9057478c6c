import { invalid } from '../../base/errors.ts';
import type { ExecsApi } from '../../engine/api/index.ts';
import { parseJson, readJson } from '../body.ts';
import { param, sendJson, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { bodyBeforeUpgrade, hijack } from '../hijack.ts';
import { integer } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { execJson, readExec, readExecStart } from '../wire/exec.ts';

export interface ExecNeeds {
  readonly execs: Pick<ExecsApi, 'create' | 'attach' | 'detach' | 'get' | 'resize'>;
}

export const execRoutes = ({ execs }: ExecNeeds): readonly Route[] => [
  route('POST', '/containers/{name}/exec', create(execs)),
  route('POST', '/exec/{id}/start', start(execs), { hijacks: true }),
  route('POST', '/exec/{id}/resize', resize(execs)),
  route('GET', '/exec/{id}/json', inspect(execs)),
];

type Execs = ExecNeeds['execs'];

const create = (execs: Execs) => async (call: Call) => {
  const spec = readExec(await readJson(call.request));
  const { id } = await execs.create(param(call, 'name'), spec);
  sendJson(call, 201, { Id: id });
};

const start = (execs: Execs) => async (call: Call) => {
  const { body, rest } = await readStart(call);
  const { detach, consoleSize } = readExecStart(body);
  const id = param(call, 'id');
  if (detach) {
    await execs.detach(id);
    sendStatus(call, 200);
    return;
  }
  const attachment = execs.attach(id, { consoleSize });
  // Without an upgrade nothing can come after the body: a program that reads finds the end.
  if (!call.upgrade) attachment.stdin?.end();
  // With a TTY the end of the connection is a detach (ctrl-p ctrl-q of the CLI), not the user's ^D.
  await hijack(call, attachment, rest, !attachment.tty);
};

async function readStart(
  call: Call,
): Promise<{ readonly body: Readonly<Record<string, unknown>> | undefined; readonly rest: Buffer }> {
  if (!call.upgrade) return { body: await readJson(call.request), rest: Buffer.alloc(0) };
  const { body, rest } = await bodyBeforeUpgrade(call);
  return { body: parseJson(body, call.request.headers['content-type']), rest };
}

const resize = (execs: Execs) => async (call: Call) => {
  const rows = integer(call.query, 'h');
  const columns = integer(call.query, 'w');
  if (rows === undefined || columns === undefined || rows < 0 || columns < 0)
    throw invalid('resize needs h and w: the height and width of the terminal in characters');
  await execs.resize(param(call, 'id'), rows, columns);
  sendStatus(call, 200);
};

const inspect = (execs: Execs) => (call: Call) => {
  sendJson(call, 200, execJson(execs.get(param(call, 'id'))));
};
