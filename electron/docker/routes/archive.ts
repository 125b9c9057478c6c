import { invalid } from '../../base/errors.ts';
import type { ContainersApi, PathStat } from '../../engine/api/index.ts';
import { drain, readJson } from '../body.ts';
import { param, sendJson, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { flag, text } from '../query.ts';
import { route } from '../router.ts';
import { sendTar } from '../send-tar.ts';
import type { Route } from '../router.ts';
import { pathStatHeader } from '../wire/path-stat.ts';

export interface ArchiveNeeds {
  readonly containers: Pick<
    ContainersApi,
    'statPath' | 'archive' | 'extract' | 'export' | 'changes' | 'commit' | 'get'
  >;
}

/** cp, export, diff and commit (docker-api.md §7, §9). */
export const archiveRoutes = ({ containers }: ArchiveNeeds): readonly Route[] => [
  route('HEAD', '/containers/{name}/archive', head(containers)),
  route('GET', '/containers/{name}/archive', get(containers)),
  route('PUT', '/containers/{name}/archive', put(containers)),
  route('GET', '/containers/{name}/changes', changes(containers)),
  route('GET', '/containers/{name}/export', exportTar(containers)),
  route('POST', '/commit', commit(containers)),
];

type Containers = ArchiveNeeds['containers'];

function pathOf(call: Call): string {
  const path = text(call.query, 'path');
  if (!path) throw invalid('missing parameter: path');
  return path;
}

const withStat = (call: Call, stat: PathStat, type?: string): void => {
  call.response.writeHead(200, {
    'X-Docker-Container-Path-Stat': pathStatHeader(stat),
    ...(type === undefined ? { 'Content-Length': 0 } : { 'Content-Type': type }),
  });
};

const head = (containers: Containers) => async (call: Call) => {
  withStat(call, await containers.statPath(param(call, 'name'), pathOf(call)));
  call.response.end();
};

const get = (containers: Containers) => async (call: Call) => {
  const { stat, tar } = await containers.archive(param(call, 'name'), pathOf(call));
  withStat(call, stat, 'application/x-tar');
  await sendTar(call, tar);
};

const put = (containers: Containers) => async (call: Call) => {
  const name = param(call, 'name');
  try {
    await containers.extract(name, pathOf(call), call.request as AsyncIterable<Uint8Array>, {
      keepKinds: flag(call.query, 'noOverwriteDirNonDir'),
    });
  } catch (error) {
    await drain(call.request);
    throw error;
  }
  await drain(call.request);
  sendStatus(call, 200);
};

const kinds = { modified: 0, added: 1, deleted: 2 } as const;

const changes = (containers: Containers) => async (call: Call) => {
  const found = await containers.changes(param(call, 'name'));
  sendJson(
    call,
    200,
    found.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] })),
  );
};

const exportTar = (containers: Containers) => async (call: Call) => {
  const tar = containers.export(param(call, 'name'));
  call.response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
  await sendTar(call, tar);
};

const commit = (containers: Containers) => async (call: Call) => {
  const { query } = call;
  await readJson(call.request);
  const container = text(query, 'container');
  if (!container) throw invalid('missing parameter: container');
  const repo = text(query, 'repo') ?? '';
  const tag = text(query, 'tag') ?? '';
  const { id } = await containers.commit(container, {
    reference: repo === '' || tag === '' ? repo : `${repo}:${tag}`,
    comment: text(query, 'comment') ?? '',
    author: text(query, 'author') ?? '',
    pause: flag(query, 'pause', true),
    // One parameter a line, or several lines in one (moby joins them).
    changes: query
      .getAll('changes')
      .flatMap((each) => each.split('\n'))
      .filter((line) => line.trim() !== ''),
  });
  sendJson(call, 201, { Id: id });
};
