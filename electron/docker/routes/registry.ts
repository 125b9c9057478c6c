import { invalid, notFound, toDrydockError, unsupported } from '../../base/errors.ts';
import type { ImagesApi, RegistryApi } from '../../engine/api/index.ts';
import { drain, readJson } from '../body.ts';
import { param, sendJson } from '../call.ts';
import type { Call } from '../call.ts';
import { startProgress } from '../progress.ts';
import { text } from '../query.ts';
import { authOf, registryAuth } from '../registry-auth.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';
import { withTag } from '../with-tag.ts';
import { pullJson, pushJson } from '../wire/transfer.ts';

export interface RegistryNeeds {
  readonly images: Pick<ImagesApi, 'pull' | 'push'>;
  readonly registry: Pick<RegistryApi, 'check' | 'inspect'>;
}

/** What the docker CLI asks of registries through us. `POST /images/create` is in images.ts, since it imports as well. */
export const registryRoutes = ({ images, registry }: RegistryNeeds): readonly Route[] => [
  route('POST', '/auth', login(registry)),
  route('GET', '/images/search', search),
  route('POST', '/images/{name*}/push', push(images)),
  route('GET', '/distribution/{name*}/json', distribution(registry), { since: '1.30' }),
];

/** `docker login`: really asks the registry; the CLI keeps what it is told. */
const login = (registry: RegistryNeeds['registry']) => async (call: Call) => {
  const body = await readJson(call.request);
  if (!body) throw invalid('name and password are missing: send {"username", "password", "serveraddress"}');
  const { identityToken } = await registry.check(authOf(body), call.gone);
  sendJson(call, 200, { Status: 'Login Succeeded', IdentityToken: identityToken });
};

/** `docker pull`. Until the manifest is known an error has a status; afterwards it is the last line. */
export async function pull(images: RegistryNeeds['images'], from: string, call: Call): Promise<void> {
  await drain(call.request);
  const tag = text(call.query, 'tag');
  const ref = withTag(from, tag);
  await stream(
    call,
    images.pull(
      ref,
      {
        platform: text(call.query, 'platform'),
        auth: registryAuth(call.request),
        // The API's way of `--all-tags`: no tag, neither in the name nor beside it.
        allTags: tag === undefined && !/[:@][^/]*$/.test(from),
      },
      call.gone,
    ),
    (event) => [pullJson(event)],
  );
}

const push = (images: RegistryNeeds['images']) => async (call: Call) => {
  await drain(call.request);
  const ref = withTag(param(call, 'name'), text(call.query, 'tag'));
  await stream(call, images.push(ref, { auth: registryAuth(call.request) }, call.gone), pushJson);
};

/**
 * At a 401 the CLI asks for name and password on its stdin, for ever when that is no terminal. dockerd never sends one here: who may not see an image
 * is told that there is none (moby: distribution/errors.go).
 */
function withoutPrompt(error: unknown): unknown {
  const { kind, message, hint, data } = toDrydockError(error);
  return kind === 'unauthorized' || kind === 'denied' ? notFound(message, { hint, data, cause: error }) : error;
}

async function stream<T>(
  call: Call,
  source: AsyncIterable<T>,
  linesOf: (event: T) => readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const events = source[Symbol.asyncIterator]();
  let step = await events.next().catch((error: unknown) => {
    throw withoutPrompt(error);
  });
  const progress = startProgress(call.response);
  try {
    for (; !step.done; step = await events.next()) {
      for (const line of linesOf(step.value)) {
        if (await progress.send(line)) continue;
        await events.return?.();
        return;
      }
    }
  } catch (error) {
    await progress.fail(error);
  }
  progress.end();
}

const distribution = (registry: RegistryNeeds['registry']) => async (call: Call) => {
  const { descriptor, platforms } = await registry.inspect(param(call, 'name'), registryAuth(call.request), call.gone);
  sendJson(call, 200, { Descriptor: descriptor, Platforms: platforms });
};

/** Docker Hub has a search of its own, outside of what registries speak. */
function search(call: Call): never {
  throw unsupported(
    `docker search ${text(call.query, 'term') ?? ''}: registries have no search that Drydock could ask`.trim(),
    {
      hint: 'Search on https://hub.docker.com, then docker pull the name.',
    },
  );
}
