import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cancelled, DrydockError, invalid, toDrydockError } from '../../base/errors.ts';
import type { BuildEvent, BuildOptions, BuildStep } from '../api/images.ts';
import type { StoredImage } from '../images/image.ts';
import { writeLayer, type WrittenLayer } from '../images/layer-writer.ts';
import { familiar } from '../images/references.ts';
import type { NewImage } from '../images/store.ts';
import { describeStep, type Change } from './apply.ts';
import { BuildArguments } from './arguments.ts';
import { Bases } from './bases.ts';
import { readContext, type Context } from './context.ts';
import { expandWord } from './dockerfile/expand.ts';
import { parseInstruction, type Instruction } from './dockerfile/instructions.ts';
import { readLines } from './dockerfile/lines.ts';
import { parseDockerfile, type Dockerfile, type Stage } from './dockerfile/stages.ts';
import { platformOf } from './platform.ts';
import { downloader, type Download } from './remote-file.ts';
import { runStep } from './run-step.ts';
import { cancellable, short, text, type BuilderWorld, type Session } from './session.ts';
import { buildKeyOf, newImageOf, nextImage, stageImageOf, type StageImage } from './stage.ts';
import type { StageRoot } from './stage-root.ts';
import type { Tree } from './tree.ts';

export type { ProgramOutput, ProgramRequest, ProgramRunner } from './run.ts';
export type { BuilderWorld } from './session.ts';

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
  let build: Build | undefined;
  try {
    const files = await readContext(context, directory, signal);
    const tags = [...new Set(options.tags.map(world.tagName))];
    const dockerfile = parseDockerfile(await dockerfileText(files, options.dockerfile), options);
    build = new Build({ world, options, lease, directory, signal }, dockerfile, files.tree);
    yield* build.run(tags);
  } finally {
    try {
      await build?.end();
    } finally {
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
  readonly #session: Session;
  readonly #dockerfile: Dockerfile;
  readonly #context: Tree;
  readonly #download: Download;
  readonly #args: BuildArguments;
  readonly #bases: Bases;
  /** Steps made here that are not in the store yet, and what the cache would find them by. */
  #steps: NewImage[] = [];
  readonly #made = new Map<string, StageImage>();
  readonly #escape: string;
  readonly #total: number;
  #step = 0;
  #runs = 0;

  /** @throws invalid */
  constructor(session: Session, dockerfile: Dockerfile, context: Tree) {
    const { world, options, directory, signal } = session;
    const { stages, globals, escape } = dockerfile;
    this.#session = session;
    this.#dockerfile = dockerfile;
    this.#context = context;
    const platform = platformOf(options.platform || 'wasi/wasm');
    this.#args = new BuildArguments(options.buildArgs, `${platform.os}/${platform.architecture}`);
    const names = stages.flatMap(({ from }) => from.stage ?? []);
    this.#bases = new Bases(session, platform, names);
    this.#download = downloader(world.transport, directory, signal);
    this.#escape = escape;
    this.#total = globals.length + stages.reduce((sum, stage) => sum + 1 + stage.steps.length, 0);
  }

  async *run(tags: readonly string[]): AsyncGenerator<BuildEvent> {
    const { world } = this.#session;
    for (const instruction of this.#dockerfile.globals) {
      const done = yield* this.#announce(instruction, '');
      for (const { name, value } of instruction.args)
        this.#args.declareGlobal(
          name,
          value === undefined ? undefined : expandWord(value, this.#args.globals, this.#escape),
        );
      yield done(true);
    }
    let image: StageImage | undefined;
    for (const stage of this.#dockerfile.stages) {
      image = yield* this.#buildStage(stage);
      this.#bases.finished(stage.from.stage, image);
    }
    const unused = this.#args.unused();
    if (unused.length > 0) yield text(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n`);
    if (!image || image.id === '') throw invalid('No image was generated. Is your Dockerfile empty?');

    const result = await this.#finish(image);
    for (const tag of tags) await world.name(result, tag);
    world.built(result, tags[0] === undefined ? result.id : familiar(tags[0]));
    yield { type: 'image', id: result.id };
    yield text(`Successfully built ${short(result.id)}\n`);
    for (const tag of tags) yield text(`Successfully tagged ${familiar(tag)}\n`);
  }

  /** However it ended. What was made is written, also then: the next build need not do it again. */
  async end(): Promise<void> {
    try {
      await this.#keepSteps();
    } finally {
      this.#bases.letGo();
    }
  }

  async #keepSteps(): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    if (steps.length > 0) await this.#session.world.store.add(this.#session.lease, steps);
  }

  async #finish(image: StageImage): Promise<StoredImage> {
    await this.#keepSteps();
    return this.#session.world.store.keep(image.id);
  }

  /** Says that a step begins; the answer makes what says that it is done. */
  *#announce(instruction: Instruction, stage: string): Generator<BuildEvent, (cached: boolean) => BuildStep> {
    if (this.#session.signal?.aborted) throw cancelled('the build was cancelled');
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
    const { image, pulled } = yield* this.#bases.base(name, platform ? platformOf(platform) : undefined);
    let cached = !pulled;
    const stage = new StageProgress(image, this.#bases.rootOf(image));
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

  /** One instruction: from the cache, or made now. True when nothing had to be made. */
  async *#dispatch(
    stage: StageProgress,
    instruction: Instruction,
    dropTriggers: boolean,
  ): AsyncGenerator<BuildEvent, boolean> {
    if (instruction.kind === 'FROM') throw invalid('FROM cannot be here');
    if (instruction.kind === 'COPY' && instruction.from !== undefined) yield* this.#bases.fetchFrom(instruction.from);
    const base = stage.image;
    const change = await describeStep(instruction, {
      runtime: base.config.config ?? {},
      args: this.#args,
      escape: this.#escape,
      commandGiven: stage.commandGiven,
      context: this.#context,
      from: (name) => this.#bases.from(name),
      download: this.#download,
    });
    if (instruction.kind === 'CMD') stage.commandGiven = true;
    const buildKey = buildKeyOf(base, [...change.key, dropTriggers]);
    const cached = this.#cached(buildKey);
    if (cached) {
      // In the same breath: who reads slowly must not lose what was found.
      this.#bases.keep(cached);
      this.#session.lease.keepImage(cached.id);
      yield text(' ---> Using cache\n');
      if (cached.layers.length > base.layers.length) stage.root = this.#bases.rootOf(cached);
      stage.image = cached;
      return true;
    }
    const made = change.run ? yield* this.#run(base, change.run) : await this.#makeLayer(stage, change);
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
    if (change.run) stage.root = this.#bases.rootOf(image);
    return false;
  }

  /** The newest image that was made the same way; with --no-cache none, not even of this build. */
  #cached(buildKey: string): StageImage | undefined {
    if (this.#session.options.noCache) return undefined;
    const made = this.#made.get(buildKey);
    if (made) return made;
    const found = this.#session.world.store
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
    const { world, options, lease, signal } = this.#session;
    const same = options.noCache ? undefined : world.store.byLayerKey(plan.layerKey);
    const descriptor = same?.manifest.layers.at(-1);
    if (same && descriptor) {
      lease.keep(descriptor.digest);
      return { layer: { descriptor, size: same.facts.layerSizes.at(-1) ?? 0 }, key: plan.layerKey };
    }
    return { layer: await writeLayer(lease, cancellable(signal, plan.entries())), key: plan.layerKey };
  }

  async *#run(
    base: StageImage,
    run: NonNullable<Change['run']>,
  ): AsyncGenerator<BuildEvent, { readonly layer: WrittenLayer; readonly key: string }> {
    const { Env, WorkingDir } = base.config.config ?? {};
    const env = [...this.#args.entries(true), ...(Env ?? [])];
    const lower = await this.#bases.snapshot(base);
    const stage = { lower, env, workingDir: WorkingDir || '/' };
    return { layer: yield* runStep(this.#session, ++this.#runs, run, stage), key: '' };
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
