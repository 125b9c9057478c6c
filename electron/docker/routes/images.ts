import { invalid } from '../../base/errors.ts';
import type { Filters, ImagesApi } from '../../engine/api/index.ts';
import { drain } from '../body.ts';
import { param, sendJson, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { anyValue, booleanValue, pruneKeys, readFilters } from '../filters.ts';
import type { FilterKeys } from '../filters.ts';
import { startProgress, type Progress } from '../progress.ts';
import { flag, text } from '../query.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { sendTar } from '../send-tar.ts';
import { withTag } from '../with-tag.ts';
import { importBody } from './import.ts';
import { pull } from './registry.ts';
import { deletedJson, historyJson, imageInspectJson, imageRowJson } from '../wire/image.ts';

export interface ImagesNeeds {
  readonly images: Pick<
    ImagesApi,
    'list' | 'get' | 'history' | 'tag' | 'remove' | 'prune' | 'pull' | 'push' | 'importRoot' | 'save' | 'load'
  >;
}

export const imageRoutes = ({ images }: ImagesNeeds): readonly Route[] => [
  route('GET', '/images/json', list(images)),
  route('GET', '/images/get', save(images)),
  route('POST', '/images/create', pullOrImport(images)),
  route('POST', '/images/load', load(images)),
  route('POST', '/images/prune', prune(images), { since: '1.25' }),
  route('GET', '/images/{name*}/json', inspect(images)),
  route('GET', '/images/{name*}/history', history(images)),
  route('GET', '/images/{name*}/get', save(images)),
  route('POST', '/images/{name*}/tag', tag(images)),
  route('DELETE', '/images/{name*}', remove(images)),
];

type Images = ImagesNeeds['images'];

const listKeys: FilterKeys = {
  before: anyValue,
  dangling: booleanValue,
  label: anyValue,
  reference: anyValue,
  since: anyValue,
  until: anyValue,
};

const list = (images: Images) => (call: Call) => {
  const read = readFilters(call.query, listKeys);
  // Before 1.25 one name was asked for with `filter`; some old libraries still do.
  const name = text(call.query, 'filter');
  const filters: Filters = name ? new Map([...read, ['reference', [name]]]) : read;
  const views = images.list({ all: flag(call.query, 'all'), filters });
  sendJson(
    call,
    200,
    views.map((view) => imageRowJson(view, call.version)),
  );
};

const inspect = (images: Images) => (call: Call) =>
  sendJson(call, 200, imageInspectJson(images.get(param(call, 'name'))));

const history = (images: Images) => (call: Call) =>
  sendJson(call, 200, images.history(param(call, 'name')).map(historyJson));

const tag = (images: Images) => async (call: Call) => {
  const repo = text(call.query, 'repo');
  if (!repo) throw invalid('repo is missing: name the repository to tag the image into');
  await images.tag(param(call, 'name'), withTag(repo, text(call.query, 'tag')));
  sendStatus(call, 201);
};

const remove = (images: Images) => async (call: Call) => {
  const deleted = await images.remove(param(call, 'name'), {
    force: flag(call.query, 'force'),
    prune: !flag(call.query, 'noprune'),
  });
  sendJson(call, 200, deleted.map(deletedJson));
};

const imagePruneKeys: FilterKeys = { ...pruneKeys, dangling: booleanValue };

const prune = (images: Images) => async (call: Call) => {
  const { deleted, reclaimed } = await images.prune(readFilters(call.query, imagePruneKeys));
  sendJson(call, 200, {
    ImagesDeleted:
      deleted.length > 0
        ? deleted.map((name) => (name.startsWith('sha256:') ? { Deleted: name } : { Untagged: name }))
        : null,
    SpaceReclaimed: reclaimed,
  });
};

const pullOrImport = (images: Images) => (call: Call) => {
  const from = text(call.query, 'fromImage');
  return from ? pull(images, from, call) : importBody(images, call);
};

/** What is wrong with the archive before its first image is told by the status, later in the stream. */
const load = (images: Images) => async (call: Call) => {
  const { request, response } = call;
  const loaded = images.load(request as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let progress: Progress | undefined;
  try {
    for (let step = await loaded.next(); !step.done; step = await loaded.next()) {
      progress ??= startProgress(response);
      const { id, reference } = step.value;
      await progress.send({
        stream: reference === undefined ? `Loaded image ID: ${id}\n` : `Loaded image: ${reference}\n`,
      });
    }
  } catch (error) {
    await drain(request);
    if (!progress) throw error;
    await progress.fail(error);
  }
  await drain(request);
  progress?.end();
};

const save = (images: Images) => (call: Call) => {
  const names = call.params['name'] === undefined ? call.query.getAll('names') : [call.params['name']];
  if (names.length === 0) throw invalid('no images were named to save');
  const tar = images.save(names);
  call.response.writeHead(200, { 'Content-Type': 'application/x-tar' });
  return sendTar(call, tar);
};
