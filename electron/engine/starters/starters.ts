/** Images to begin with. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { cancelled, notFound } from '../../base/errors.ts';
import type { ImagesApi } from '../api/images.ts';
import type { Starter, StarterEvent, StartersApi } from '../api/starters.ts';
import type { Transport } from '../registry/transport.ts';
import { starterContext } from './context.ts';
import { fetchPackage } from './fetch-package.ts';
import { readRecipes, type Recipe } from './recipe.ts';

export interface StartersOptions {
  /** dist/starters; undefined = there are none. */
  readonly directory: string | undefined;
  /** For tarballs, while they are used. */
  readonly tmp: string;
  readonly images: Pick<ImagesApi, 'get' | 'build'>;
  readonly transport: Transport;
  /** Base URL of the npm registry; asked at each use. */
  readonly registry: () => string;
}

/** Milliseconds between two tellings of a download. */
const PACE = 100;

/** @throws damaged when a recipe cannot be read */
export function openStarters({ directory, tmp, images, transport, registry }: StartersOptions): StartersApi {
  const recipes = new Map(readRecipes(directory).map((recipe) => [recipe.name, recipe]));

  const imageOf = ({ tag }: Recipe): string | undefined => {
    try {
      return images.get(tag).id;
    } catch {
      return undefined;
    }
  };
  const find = (name: string): Recipe => {
    const recipe = recipes.get(name);
    if (recipe) return recipe;
    throw notFound(`No such starter: ${name}`, { hint: `There are: ${[...recipes.keys()].join(', ') || 'none'}.` });
  };
  /** The recipe and those it needs that have no image, in the order of building. */
  const plan = (recipe: Recipe): Recipe[] => [
    ...new Set([
      ...recipe.needs
        .map(find)
        .filter((needed) => imageOf(needed) === undefined)
        .flatMap(plan),
      recipe,
    ]),
  ];

  const viewOf = (recipe: Recipe): Starter => ({
    name: recipe.name,
    title: recipe.title,
    tag: recipe.tag,
    about: recipe.about,
    try: recipe.try,
    license: recipe.license,
    needs: recipe.needs,
    download: plan(recipe).reduce((sum, { npm }) => sum + (npm?.size ?? 0), 0),
    image: imageOf(recipe),
  });

  async function* make(recipe: Recipe, signal: AbortSignal | undefined): AsyncGenerator<StarterEvent> {
    yield { type: 'starter', name: recipe.name };
    const { npm } = recipe;
    const tarball = npm && join(tmp, `npm-${randomUUID()}.tgz`);
    try {
      if (npm && tarball !== undefined) yield* download(npm, tarball, signal);
      yield* images.build(
        {
          dockerfile: 'Dockerfile',
          tags: [...new Set([recipe.tag, recipe.tag.replace(/:[^:/]*$/, ':latest')])],
          buildArgs: {},
          labels: {
            'dev.drydock.starter': recipe.name,
            'org.opencontainers.image.licenses': recipe.license,
            ...(npm && {
              'org.opencontainers.image.source': `https://www.npmjs.com/package/${npm.package}/v/${npm.version}`,
            }),
          },
          noCache: false,
          pull: false,
        },
        starterContext(recipe, tarball),
        signal,
      );
    } finally {
      if (tarball !== undefined) await rm(tarball, { force: true });
    }
  }

  /** Tells how far it is about ten times a second, and at the end. */
  async function* download(
    npm: NonNullable<Recipe['npm']>,
    path: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<StarterEvent> {
    let received = 0;
    let over = false;
    const told = (): StarterEvent => ({
      type: 'download',
      package: `${npm.package}@${npm.version}`,
      received,
      total: npm.size,
    });
    const fetching = fetchPackage(npm, path, {
      transport,
      registry: registry(),
      signal,
      received: (bytes) => void (received = bytes),
    }).finally(() => void (over = true));
    // Its end is awaited below, whatever happens here.
    fetching.catch(() => undefined);
    for (let last = -1; !over;) {
      if (received !== last) yield told();
      last = received;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, PACE);
      await Promise.race([promise, fetching.catch(() => undefined)]);
      clearTimeout(timer);
    }
    await fetching;
    yield told();
  }

  return {
    list: () => [...recipes.values()].map(viewOf),
    async *build(name, signal) {
      for (const recipe of plan(find(name))) {
        if (signal?.aborted) throw cancelled('the build was cancelled');
        yield* make(recipe, signal);
      }
    },
  };
}
