/** What the stages of a build stand on and copy from: images, here or fetched, and stages that are finished. */
import { DrydockError, invalid, notFound, toDrydockError } from '../../base/errors.ts';
import type { BuildEvent, BuildOptions, PullOptions } from '../api/images.ts';
import type { StoredImage } from '../images/image.ts';
import { parseReference } from '../images/references.ts';
import { serverKey } from '../registry/endpoints.ts';
import { runsAs, type Platform } from './platform.ts';
import type { Session } from './session.ts';
import { emptyImage, layeredOf, stageImageOf, type StageImage } from './stage.ts';
import { stageRoot, type StageRoot } from './stage-root.ts';
import { directoryTree, type Tree } from './tree.ts';

/** Of the log-ins that came with a build, the one for an image's registry. */
function authFor(name: string, given: BuildOptions['registryAuth']): PullOptions['auth'] {
  if (given === undefined || given === 'stored') return given;
  const { domain } = parseReference(name);
  const key = serverKey(domain);
  return Object.entries(given).find(([server]) => serverKey(server) === key)?.[1];
}

export class Bases {
  readonly #session: Session;
  readonly #platform: Platform;
  /** Finished stages, in order, with their names. */
  readonly #stages: { readonly name: string | undefined; readonly image: StageImage }[] = [];
  /** Names of stages that are not finished. */
  readonly #coming: Set<string>;
  readonly #holds: (() => void)[] = [];

  /** @param platform of the build @param names of its stages */
  constructor(session: Session, platform: Platform, names: Iterable<string>) {
    this.#session = session;
    this.#platform = platform;
    this.#coming = new Set(names);
  }

  /** A stage is finished: others may begin with it and copy from it. */
  finished(name: string | undefined, image: StageImage): void {
    this.#stages.push({ name, image });
    if (name !== undefined) this.#coming.delete(name);
  }

  /** At the end of the build. */
  letGo(): void {
    for (const letGo of this.#holds.splice(0)) letGo();
  }

  /** An earlier stage hides an image of the same name. @throws notFound when there is only one for another platform than was asked for */
  async *base(
    name: string,
    asked: Platform | undefined,
  ): AsyncGenerator<BuildEvent, { readonly image: StageImage; readonly pulled: boolean }> {
    const stage = this.#stages.findLast((earlier) => earlier.name === name.toLowerCase());
    if (stage) return { image: stage.image, pulled: false };
    if (name === 'scratch') {
      const { os, architecture } = asked ?? this.#platform;
      return { image: emptyImage(os, architecture), pulled: false };
    }
    const wanted = asked ?? (this.#session.options.platform ? this.#platform : undefined);
    const pulled = yield* this.#pull(name, wanted);
    const image = this.#stored(name);
    if (wanted && !runsAs(image.config, wanted))
      throw notFound(
        `image with reference ${name} was found but does not match the specified platform: wanted ${wanted.text}, actual: ${image.config.os}/${image.config.architecture}`,
      );
    return { image, pulled };
  }

  /** Fetches an image that is not here, or is another platform's; with --pull any, in case its registry has a newer one. */
  async *#pull(name: string, wanted?: Platform): AsyncGenerator<BuildEvent, boolean> {
    const { pull } = this.#session.world;
    const here = this.#here(name);
    const fits = here !== undefined && (!wanted || runsAs(here.config, wanted));
    if (!pull || (!this.#session.options.pull && fits)) return false;
    const auth = authFor(name, this.#session.options.registryAuth);
    const platform = wanted?.text ?? (this.#session.options.platform || undefined);
    try {
      for await (const event of pull(name, { platform, auth }, this.#session.signal)) yield { type: 'pull', event };
      return true;
    } catch (error) {
      const { kind, message, hint, data } = toDrydockError(error);
      const why = !here
        ? ', which is not here'
        : fits
          ? ''
          : `, which is here for ${here.config.os}/${here.config.architecture} only`;
      throw new DrydockError(kind, `cannot pull ${name}${why}: ${message}`, { hint, data, cause: error });
    }
  }

  #here(name: string): StoredImage | undefined {
    try {
      return this.#session.world.find(name);
    } catch (error) {
      if (toDrydockError(error).kind !== 'notFound') throw error;
      return undefined;
    }
  }

  #stored(name: string): StageImage {
    let image: StoredImage;
    try {
      image = this.#session.world.find(name);
    } catch (error) {
      const problem = toDrydockError(error);
      if (problem.kind !== 'notFound') throw problem;
      throw notFound(problem.message, { hint: `Pull it first: docker pull ${name}`, data: problem.data });
    }
    this.keep(stageImageOf(image));
    return stageImageOf(image);
  }

  /** What lies under the build stays until its end, whatever is removed meanwhile. */
  keep(image: StageImage): void {
    for (const layer of image.layers) this.#session.lease.keep(layer.digest);
    this.#holds.push(this.#session.world.snapshots.hold(layeredOf(image).chainIds));
  }

  /** What the stage's file system holds, looked up when it is asked for. */
  rootOf(image: StageImage): StageRoot {
    return stageRoot(async () => (image.layers.length === 0 ? undefined : this.snapshot(image)));
  }

  /** Its root as a directory of the host that nobody writes to. */
  snapshot(image: StageImage): Promise<string> {
    this.keep(image);
    return this.#session.world.snapshots.ensure(layeredOf(image));
  }

  /** The tree of `--from`. @throws invalid, notFound */
  async from(name: string): Promise<Tree> {
    const index = /^\d+$/.test(name) ? Number(name) : undefined;
    const stage =
      index === undefined
        ? this.#stages.findLast((earlier) => earlier.name === name.toLowerCase())
        : this.#stages[index];
    if (index !== undefined && !stage)
      throw invalid(`invalid from flag value ${name}: there is no earlier stage of that number`);
    const image = stage?.image ?? this.#stored(name);
    return directoryTree(await this.snapshot(image));
  }

  /** `--from` of an image that is not here. @throws invalid for a stage that is not finished */
  async *fetchFrom(name: string): AsyncGenerator<BuildEvent> {
    if (/^\d+$/.test(name) || this.#stages.some((earlier) => earlier.name === name.toLowerCase())) return;
    if (this.#coming.has(name.toLowerCase()) && !this.#here(name.toLowerCase()))
      throw invalid(`invalid from flag value ${name}: the stage ${name} is not finished here`, {
        hint: 'A stage can be copied from only after its last instruction.',
      });
    yield* this.#pull(name);
  }
}
