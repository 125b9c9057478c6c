import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cancelled, DrydockError, invalid, notFound, toDrydockError, unsupported } from '../../base/errors.ts';
import type { BuildEvent, BuildOptions, BuildStep, PullEvent, PullOptions } from '../api/images.ts';
import type { Content, Lease } from '../images/content.ts';
import type { StoredImage } from '../images/image.ts';
import { writeLayer, type WrittenLayer } from '../images/layer-writer.ts';
import { familiar, parseReference } from '../images/references.ts';
import { serverKey } from '../registry/endpoints.ts';
import type { Transport } from '../registry/transport.ts';
import type { Snapshots } from '../images/snapshots.ts';
import type { ImageStore, NewImage } from '../images/store.ts';
import type { Temporary } from '../images/temporary.ts';
import { describeStep, type Change } from './apply.ts';
import { scriptDirectory } from './apply-run.ts';
import { BuildArguments } from './arguments.ts';
import { readContext, type Context } from './context.ts';
import { expandWord } from './dockerfile/expand.ts';
import { parseInstruction, type Instruction } from './dockerfile/instructions.ts';
import { readLines } from './dockerfile/lines.ts';
import { parseDockerfile, type Dockerfile, type Stage } from './dockerfile/stages.ts';
import { platformOf, runsAs, type Platform } from './platform.ts';
import { downloader, type Download } from './remote-file.ts';
import { noRunner, programOf, runProgram, upperEntries, type ProgramRunner } from './run.ts';
import { buildKeyOf, emptyImage, layeredOf, newImageOf, nextImage, stageImageOf, type StageImage } from './stage.ts';
import { stageRoot, type StageRoot } from './stage-root.ts';
import { directoryTree, type Tree } from './tree.ts';

export type { ProgramOutput, ProgramRequest, ProgramRunner } from './run.ts';

/** What a build needs of the image store; images.ts supplies it. */
export interface BuilderWorld {
  readonly content: Content;
  readonly store: ImageStore;
  readonly snapshots: Snapshots;
  readonly temporary: Temporary;
  /** @throws notFound */
  readonly find: (ref: string) => StoredImage;
  /** Fetches what is not here; undefined where there are no registries. */
  readonly pull?: ((ref: string, options: PullOptions, signal?: AbortSignal) => AsyncIterable<PullEvent>) | undefined;
  /** @throws invalid */
  readonly tagName: (target: string) => string;
  readonly name: (image: StoredImage, full: string) => Promise<void>;
  readonly built: (image: StoredImage, label: string) => void;
  readonly runProgram: ProgramRunner | undefined;
  /** For ADD; without it nothing is downloaded. */
  readonly transport?: Transport | undefined;
}

/** Of the log-ins that came with a build, the one for an image's registry. */
function authFor(name: string, given: BuildOptions['registryAuth']): PullOptions['auth'] {
  if (given === undefined || given === 'stored') return given;
  const { domain } = parseReference(name);
  const key = serverKey(domain);
  return Object.entries(given).find(([server]) => serverKey(server) === key)?.[1];
}

const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
const text = (line: string): BuildEvent => ({ type: 'stream', text: line });

/**
 * Builds an image from a context tar. Everything that can be wrong with the request and the Dockerfile itself is thrown before the first event;
 * a failing step is thrown from between them. The context is taken in whole first and removed at the end, however that comes.
 * @throws invalid, notFound, unsupported, cancelled
 */
export async function* buildImage(
  world: BuilderWorld,
  options: BuildOptions,
  context: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<BuildEvent> {
  const directory = await world.temporary.directory('build');
  const lease = world.content.lease();
  const build = new Build(world, options, lease, directory, signal);
  try {
    const files = await readContext(context, directory, signal);
    const tags = [...new Set(options.tags.map(world.tagName))];
    const dockerfile = parseDockerfile(await dockerfileText(files, options.dockerfile), options);
    yield* build.run(dockerfile, files.tree, tags);
  } finally {
    try {
      await build.keepSteps();
    } finally {
      build.letGo();
      await lease.end();
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** @throws invalid in moby's words */
async function dockerfileText(context: Context, requested: string): Promise<string> {
  const name = requested || 'Dockerfile';
  const path = join('/', name.replaceAll('\\', '/')).slice(1);
  const found =
    (await context.text(path)) ?? (path === 'Dockerfile' ? await context.text(path.toLowerCase()) : undefined);
  if (found === undefined)
    throw invalid(`Cannot locate specified Dockerfile: ${name}`, {
      hint: 'Is it in the context directory? Another name is given with -f.',
    });
  if (found.trim() === '') throw invalid(`the Dockerfile (${name}) cannot be empty`);
  return found;
}

class Build {
  readonly #world: BuilderWorld;
  readonly #options: BuildOptions;
  readonly #lease: Lease;
  readonly #directory: string;
  readonly #signal: AbortSignal | undefined;
  readonly #platform: Platform;
  readonly #download: Download;
  readonly #args: BuildArguments;
  /** Finished stages, in order, with their names. */
  readonly #stages: { readonly name: string | undefined; readonly image: StageImage }[] = [];
  /** Steps made here that are not in the store yet, and what the cache would find them by. */
  #steps: NewImage[] = [];
  readonly #made = new Map<string, StageImage>();
  readonly #holds: (() => void)[] = [];
  /** Names of stages that are not finished. */
  readonly #coming = new Set<string>();
  #context: Tree | undefined;
  #escape = '\\';
  #step = 0;
  #total = 0;
  #runs = 0;

  constructor(
    world: BuilderWorld,
    options: BuildOptions,
    lease: Lease,
    directory: string,
    signal: AbortSignal | undefined,
  ) {
    this.#world = world;
    this.#options = options;
    this.#lease = lease;
    this.#directory = directory;
    this.#signal = signal;
    this.#platform = platformOf(options.platform || 'wasi/wasm');
    this.#args = new BuildArguments(options.buildArgs, `${this.#platform.os}/${this.#platform.architecture}`);
    const { transport } = world;
    this.#download = transport
      ? downloader(transport, directory, signal)
      : () =>
          Promise.reject(
            unsupported('ADD failed: this store of images was opened without a way to download', {
              hint: 'Download the file into the build context first.',
            }),
          );
  }

  async *run(dockerfile: Dockerfile, context: Tree, tags: readonly string[]): AsyncGenerator<BuildEvent> {
    this.#context = context;
    this.#escape = dockerfile.escape;
    this.#total = dockerfile.globals.length + dockerfile.stages.reduce((sum, stage) => sum + 1 + stage.steps.length, 0);
    for (const instruction of dockerfile.globals) {
      const done = yield* this.#announce(instruction, '');
      for (const { name, value } of instruction.args)
        this.#args.declareGlobal(
          name,
          value === undefined ? undefined : expandWord(value, this.#args.globals, this.#escape),
        );
      yield done(true);
    }
    for (const { from } of dockerfile.stages) if (from.stage !== undefined) this.#coming.add(from.stage);
    let image: StageImage | undefined;
    for (const stage of dockerfile.stages) {
      image = yield* this.#buildStage(stage);
      this.#stages.push({ name: stage.from.stage, image });
      if (stage.from.stage !== undefined) this.#coming.delete(stage.from.stage);
    }
    const unused = this.#args.unused();
    if (unused.length > 0) yield text(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n`);
    if (!image || image.id === '') throw invalid('No image was generated. Is your Dockerfile empty?');

    const result = await this.#finish(image);
    for (const tag of tags) await this.#world.name(result, tag);
    this.#world.built(result, tags[0] === undefined ? result.id : familiar(tags[0]));
    yield { type: 'image', id: result.id };
    yield text(`Successfully built ${short(result.id)}\n`);
    for (const tag of tags) yield text(`Successfully tagged ${familiar(tag)}\n`);
  }

  /** Writes what was made, also when the build ends early: the next one need not do it again. */
  async keepSteps(): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    if (steps.length > 0) await this.#world.store.add(this.#lease, steps);
  }

  letGo(): void {
    for (const letGo of this.#holds.splice(0)) letGo();
  }

  async #finish(image: StageImage): Promise<StoredImage> {
    await this.keepSteps();
    return this.#world.store.keep(image.id);
  }

  /** Says that a step begins; the answer makes what says that it is done. */
  *#announce(instruction: Instruction, stage: string): Generator<BuildEvent, (cached: boolean) => BuildStep> {
    if (this.#signal?.aborted) throw cancelled('the build was cancelled');
    const since = performance.now();
    const step: BuildStep = {
      type: 'step',
      index: ++this.#step,
      total: this.#total,
      text: instruction.text,
      line: instruction.line,
      stage,
    };
    yield text(`Step ${step.index}/${step.total} : ${step.text}`);
    yield text('\n');
    yield step;
    return (cached) => ({ ...step, cached, milliseconds: performance.now() - since });
  }

  /** What fails in between is told with the step and the line it failed in. */
  async *#during<T>(instruction: Instruction, work: AsyncGenerator<BuildEvent, T>): AsyncGenerator<BuildEvent, T> {
    try {
      return yield* work;
    } catch (error) {
      const { kind, message, hint, data } = toDrydockError(error);
      throw new DrydockError(kind, message, {
        hint,
        data: { ...data, step: this.#step, line: instruction.line },
        cause: error,
      });
    }
  }

  async *#buildStage(description: Stage): AsyncGenerator<BuildEvent, StageImage> {
    const { from, steps, index } = description;
    const name = from.stage ?? String(index);
    const begun = yield* this.#announce(from, name);
    const { stage, cached } = yield* this.#during(from, this.#beginStage(from));
    yield begun(cached);
    for (const instruction of steps) {
      const done = yield* this.#announce(instruction, name);
      const hit = yield* this.#during(instruction, this.#dispatch(stage, instruction, false));
      yield text(` ---> ${short(stage.image.id)}\n`);
      yield done(hit);
    }
    return stage.image;
  }

  /** FROM, and what its image wants to be done first. */
  async *#beginStage(
    from: Stage['from'],
  ): AsyncGenerator<BuildEvent, { readonly stage: StageProgress; readonly cached: boolean }> {
    const name = expandWord(from.image, this.#args.globals, this.#escape);
    if (name === '') throw invalid(`base name (${from.image}) should not be blank`);
    const platform =
      from.platform === undefined ? undefined : expandWord(from.platform, this.#args.globals, this.#escape);
    this.#args.beginStage();
    const { image, pulled } = yield* this.#baseImage(name, platform ? platformOf(platform) : undefined);
    let cached = !pulled;
    const base = image;
    const stage = new StageProgress(base, this.#rootOf(base));
    const triggers = stage.image.config.config?.OnBuild ?? [];
    if (triggers.length > 0) {
      yield text(`# Executing ${triggers.length} build trigger${triggers.length > 1 ? 's' : ''}\n`);
      for (const [i, trigger] of triggers.entries()) {
        const { lines, escape } = readLines(trigger);
        const [line] = lines;
        if (!line) continue;
        const instruction = parseInstruction({ ...line, line: from.line }, escape);
        // They are for images built on this one, not for those built on that.
        cached = (yield* this.#dispatch(stage, instruction, i === triggers.length - 1)) && cached;
      }
    }
    yield text(` ---> ${short(stage.image.id)}\n`);
    return { stage, cached };
  }

  /** An earlier stage hides an image of the same name. @throws notFound when there is only one for another platform than was asked for */
  async *#baseImage(
    name: string,
    asked: Platform | undefined,
  ): AsyncGenerator<BuildEvent, { readonly image: StageImage; readonly pulled: boolean }> {
    const stage = this.#stages.findLast((earlier) => earlier.name === name.toLowerCase());
    if (stage) return { image: stage.image, pulled: false };
    if (name === 'scratch') {
      const { os, architecture } = asked ?? this.#platform;
      return { image: emptyImage(os, architecture), pulled: false };
    }
    const wanted = asked ?? (this.#options.platform ? this.#platform : undefined);
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
    const { pull } = this.#world;
    const here = this.#here(name);
    const fits = here !== undefined && (!wanted || runsAs(here.config, wanted));
    if (!pull || (!this.#options.pull && fits)) return false;
    const auth = authFor(name, this.#options.registryAuth);
    const platform = wanted?.text ?? (this.#options.platform || undefined);
    try {
      for await (const event of pull(name, { platform, auth }, this.#signal)) yield { type: 'pull', event };
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
      return this.#world.find(name);
    } catch (error) {
      if (toDrydockError(error).kind !== 'notFound') throw error;
      return undefined;
    }
  }

  #stored(name: string): StageImage {
    let image: StoredImage;
    try {
      image = this.#world.find(name);
    } catch (error) {
      const problem = toDrydockError(error);
      if (problem.kind !== 'notFound') throw problem;
      throw notFound(problem.message, { hint: `Pull it first: docker pull ${name}`, data: problem.data });
    }
    this.#keep(stageImageOf(image));
    return stageImageOf(image);
  }

  /** What lies under the build stays until its end, whatever is removed meanwhile. */
  #keep(image: StageImage): void {
    for (const layer of image.layers) this.#lease.keep(layer.digest);
    this.#holds.push(this.#world.snapshots.hold(layeredOf(image).chainIds));
  }

  #rootOf(image: StageImage): StageRoot {
    return stageRoot(async () => (image.layers.length === 0 ? undefined : this.#snapshot(image)));
  }

  #snapshot(image: StageImage): Promise<string> {
    this.#keep(image);
    return this.#world.snapshots.ensure(layeredOf(image));
  }

  async #from(name: string): Promise<Tree> {
    const index = /^\d+$/.test(name) ? Number(name) : undefined;
    const stage =
      index === undefined
        ? this.#stages.findLast((earlier) => earlier.name === name.toLowerCase())
        : this.#stages[index];
    if (index !== undefined && !stage)
      throw invalid(`invalid from flag value ${name}: there is no earlier stage of that number`);
    const image = stage?.image ?? this.#stored(name);
    return directoryTree(await this.#snapshot(image));
  }

  /** `--from` of an image that is not here. */
  async *#fetchFrom(name: string): AsyncGenerator<BuildEvent> {
    if (/^\d+$/.test(name) || this.#stages.some((earlier) => earlier.name === name.toLowerCase())) return;
    if (this.#coming.has(name.toLowerCase()) && !this.#here(name.toLowerCase()))
      throw invalid(`invalid from flag value ${name}: the stage ${name} is not finished here`, {
        hint: 'A stage can be copied from only after its last instruction.',
      });
    yield* this.#pull(name);
  }

  /** One instruction: from the cache, or made now. True when nothing had to be made. */
  async *#dispatch(
    stage: StageProgress,
    instruction: Instruction,
    dropTriggers: boolean,
  ): AsyncGenerator<BuildEvent, boolean> {
    if (instruction.kind === 'FROM' || !this.#context) throw invalid('FROM cannot be here');
    if (instruction.kind === 'COPY' && instruction.from !== undefined) yield* this.#fetchFrom(instruction.from);
    const base = stage.image;
    const change = await describeStep(instruction, {
      runtime: base.config.config ?? {},
      args: this.#args,
      escape: this.#escape,
      commandGiven: stage.commandGiven,
      context: this.#context,
      from: (name) => this.#from(name),
      download: this.#download,
    });
    if (instruction.kind === 'CMD') stage.commandGiven = true;
    const buildKey = buildKeyOf(base, [...change.key, dropTriggers]);
    const cached = this.#cached(buildKey);
    if (cached) {
      yield text(' ---> Using cache\n');
      this.#keep(cached);
      this.#lease.keepImage(cached.id);
      if (cached.layers.length > base.layers.length) stage.root = this.#rootOf(cached);
      stage.image = cached;
      return true;
    }
    const made = change.run ? yield* this.#run(stage, change) : await this.#makeLayer(stage, change);
    const { OnBuild, ...withoutTriggers } = change.runtime;
    const image = nextImage(base, {
      createdBy: change.createdBy,
      runtime: dropTriggers || !OnBuild ? withoutTriggers : { ...withoutTriggers, OnBuild },
      author: change.author,
      layer: made?.layer,
      created: new Date().toISOString(),
    });
    this.#steps.push(newImageOf(image, { parent: base.id, buildKey, layerKey: made?.key ?? '', step: true }));
    this.#made.set(buildKey, image);
    stage.image = image;
    if (change.run) stage.root = this.#rootOf(image);
    return false;
  }

  /** The newest image that was made the same way; with --no-cache none, not even of this build. */
  #cached(buildKey: string): StageImage | undefined {
    if (this.#options.noCache) return undefined;
    const made = this.#made.get(buildKey);
    if (made) return made;
    const found = this.#world.store
      .byBuildKey(buildKey)
      .filter((image) => !image.facts.detached)
      .sort((a, b) => ((a.config.created ?? '') < (b.config.created ?? '') ? 1 : -1))[0];
    return found && stageImageOf(found);
  }

  async #makeLayer(
    stage: StageProgress,
    change: Change,
  ): Promise<{ readonly layer: WrittenLayer; readonly key: string } | undefined> {
    const plan = await change.layer?.(stage.root);
    if (!plan) return undefined;
    const same = this.#options.noCache ? undefined : this.#world.store.byLayerKey(plan.layerKey);
    const descriptor = same?.manifest.layers.at(-1);
    if (same && descriptor) {
      this.#lease.keep(descriptor.digest);
      return { layer: { descriptor, size: same.facts.layerSizes.at(-1) ?? 0 }, key: plan.layerKey };
    }
    return { layer: await writeLayer(this.#lease, this.#cancellable(plan.entries())), key: plan.layerKey };
  }

  async *#cancellable<T>(entries: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const entry of entries) {
      if (this.#signal?.aborted) throw cancelled('the build was cancelled');
      yield entry;
    }
  }

  async *#run(
    stage: StageProgress,
    { run, runtime }: Change,
  ): AsyncGenerator<BuildEvent, { readonly layer: WrittenLayer; readonly key: string } | undefined> {
    if (!run) return undefined;
    const env = [...this.#args.entries(true), ...(runtime.Env ?? [])];
    const workingDir = runtime.WorkingDir || '/';
    const lower = await this.#snapshot(stage.image);
    const program = await programOf(run.words, run.isShellForm, lower, { env, workingDir });
    if (!this.#world.runProgram) throw noRunner();
    const upper = join(this.#directory, `run-${++this.#runs}`);
    await mkdir(upper);
    const { network = '', extraHosts = [], memory = 0, nanoCpus = 0, openFiles = 0 } = this.#options;
    const request = {
      ...{ lower, upper, program, argv: run.words, env, workingDir, extraHosts, memory, nanoCpus, openFiles },
      mounts: run.script ? [await this.#scriptMount(run.script)] : [],
      network: run.isolated ? 'none' : network || 'default',
      group: this.#directory,
    };
    for await (const output of runProgram(this.#world.runProgram, request, run.words.join(' '), this.#signal))
      yield text(output);
    const layer = await writeLayer(this.#lease, this.#cancellable(upperEntries(upper)));
    await rm(upper, { recursive: true, force: true });
    return { layer, key: '' };
  }

  async #scriptMount({
    name,
    content,
  }: {
    readonly name: string;
    readonly content: string;
  }): Promise<{ readonly target: string; readonly source: string }> {
    const source = join(this.#directory, `scripts-${this.#runs}`);
    await mkdir(source);
    await writeFile(join(source, name), content);
    return { target: scriptDirectory, source };
  }
}

/** Where a stage stands. */
class StageProgress {
  image: StageImage;
  root: StageRoot;
  commandGiven = false;

  constructor(image: StageImage, root: StageRoot) {
    this.image = image;
    this.root = root;
  }
}
