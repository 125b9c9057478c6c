import { invalid, unsupported } from '../../base/errors.ts';
import type { BuildEvent, BuildOptions, ImagesApi } from '../../engine/api/index.ts';
import { drain } from '../body.ts';
import { sendJson, sendStatus } from '../call.ts';
import type { Call } from '../call.ts';
import { anyValue, readFilters } from '../filters.ts';
import { startProgress } from '../progress.ts';
import { flag, integer, object, text } from '../query.ts';
import { registryConfig } from '../registry-auth.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { ignoredBuildOptions, openFilesOf } from '../wire/build.ts';
import { pullJson } from '../wire/transfer.ts';
import { BUILDKIT_REFUSAL } from './refusals.ts';

export interface BuildNeeds {
  readonly images: Pick<ImagesApi, 'build' | 'pruneBuildCache'>;
}

export const buildRoutes = ({ images }: BuildNeeds): readonly Route[] => [
  route('POST', '/build', build(images)),
  route('POST', '/build/prune', prune(images), { since: '1.31' }),
  route('POST', '/build/cancel', (call) => sendStatus(call, 204), { since: '1.39' }),
];

const build = (images: BuildNeeds['images']) => async (call: Call) => {
  const { request, response, query } = call;
  let events: AsyncIterator<BuildEvent>;
  let step: IteratorResult<BuildEvent>;
  let warnings: readonly string[];
  try {
    const options = { ...readOptions(query), registryAuth: registryConfig(request) };
    warnings = ignoredBuildOptions(query);
    events = images.build(options, request as AsyncIterable<Uint8Array>, call.gone)[Symbol.asyncIterator]();
    // What is wrong with the Dockerfile itself comes before the first event, while the status can still tell.
    step = await events.next();
  } catch (error) {
    await drain(request);
    throw error;
  }
  const progress = startProgress(response);
  const quiet = flag(query, 'q');
  const held = warnings.map((warning) => `[Warning] ${warning}\n`);
  let id = '';
  try {
    if (!quiet) for (const line of held.splice(0)) await progress.send({ stream: line });
    for (; !step.done; step = await events.next()) {
      const event = step.value;
      if (event.type === 'image') id = event.id;
      // In words they are there already.
      if (event.type === 'step') continue;
      if (quiet) {
        if (event.type === 'stream') held.push(event.text);
      } else if (!(await progress.send(lineOf(event)))) {
        await events.return?.();
        return;
      }
    }
    if (quiet) await progress.send({ stream: `${id}\n` });
  } catch (error) {
    await drain(request);
    // Quiet builds keep quiet only while all is well.
    for (const line of held) await progress.send({ stream: line });
    await progress.fail(error);
  }
  progress.end();
};

function lineOf(event: Exclude<BuildEvent, { type: 'step' }>): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case 'stream':
      return { stream: event.text };
    case 'image':
      return { aux: { ID: event.id } };
    case 'pull':
      return pullJson(event.event);
  }
}

function readOptions(query: URLSearchParams): BuildOptions {
  if (text(query, 'version') === '2') throw unsupported(BUILDKIT_REFUSAL);
  const remote = text(query, 'remote');
  if (remote)
    throw unsupported(`cannot build from ${remote}: remote contexts are not supported`, {
      hint: 'Clone or download it, and send the directory: docker build DIR.',
    });
  if (flag(query, 'squash'))
    throw invalid('squash is only supported with experimental mode', {
      hint: 'Build without --squash; a last stage FROM scratch that copies the result makes one layer.',
    });
  const quota = integer(query, 'cpuquota') ?? 0;
  const period = integer(query, 'cpuperiod') || 100_000;
  return {
    dockerfile: text(query, 'dockerfile') ?? 'Dockerfile',
    tags: query.getAll('t').filter(Boolean),
    buildArgs: strings(object(query, 'buildargs'), 'buildargs', true),
    labels: strings(object(query, 'labels'), 'labels', false) as Record<string, string>,
    target: text(query, 'target'),
    noCache: flag(query, 'nocache'),
    pull: flag(query, 'pull'),
    platform: text(query, 'platform'),
    network: text(query, 'networkmode'),
    extraHosts: query.getAll('extrahosts').filter(Boolean),
    memory: Math.max(0, integer(query, 'memory') ?? 0),
    nanoCpus: quota > 0 ? Math.round((quota / period) * 1e9) : 0,
    openFiles: openFilesOf(query),
  };
}

function strings(
  value: Readonly<Record<string, unknown>> | undefined,
  name: string,
  nullable: boolean,
): Readonly<Record<string, string | null>> {
  for (const [key, each] of Object.entries(value ?? {})) {
    if (typeof each !== 'string' && !(nullable && each === null))
      throw invalid(`invalid value for ${name}: ${key} must be a string`);
  }
  return (value ?? {}) as Record<string, string | null>;
}

const pruneKeys = Object.fromEntries(
  'all description id inuse label label! parent private shared type until unused-for'
    .split(' ')
    .map((key) => [key, anyValue]),
);

const prune = (images: BuildNeeds['images']) => async (call: Call) => {
  const { query } = call;
  const keep = Math.max(0, ...['keep-storage', 'reserved-space'].map((key) => integer(query, key) ?? 0));
  const filters = readFilters(query, pruneKeys);
  const { deleted, reclaimed } = await images.pruneBuildCache({ all: flag(query, 'all'), keep, filters });
  sendJson(call, 200, { CachesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
};
