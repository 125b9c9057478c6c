import { assertNever, invalid, unsupported } from '../../base/errors.ts';
import type { RuntimeConfig } from '../images/oci.ts';
import type { BuildArguments } from './arguments.ts';
import { contentKey, selectSources } from './copy.ts';
import { copyTarget, planCopy, planDirectory, planFiles, type LayerPlan } from './copy-layer.ts';
import { expandText, expandWord, expandWords } from './dockerfile/expand.ts';
import type { CommandLine, CopyInstruction, Instruction } from './dockerfile/instructions.ts';
import type { StageRoot } from './stage-root.ts';
import type { Tree } from './tree.ts';
import { checkSignal, chmodMode, duration, exposedPorts, withEnv } from './values.ts';

/** What an instruction will do, known before it is done: so that the cache can be asked. */
export interface Change {
  /** Of the history: the instruction with its variables expanded. */
  readonly createdBy: string;
  /** With the base image, all that the result depends on. */
  readonly key: readonly unknown[];
  readonly runtime: RuntimeConfig;
  readonly author?: string;
  /** Undefined answers "no layer after all" (WORKDIR of a directory that is there). */
  readonly layer?: (root: StageRoot) => Promise<LayerPlan | undefined>;
  /** RUN. */
  readonly run?: { readonly words: readonly string[]; readonly isShellForm: boolean };
}

export interface Scope {
  readonly runtime: RuntimeConfig;
  readonly args: BuildArguments;
  readonly escape: string;
  /** CMD was given in this stage: ENTRYPOINT then keeps it. */
  readonly commandGiven: boolean;
  readonly context: Tree;
  /** The tree of `--from`. @throws invalid, notFound */
  readonly from: (name: string) => Promise<Tree>;
}

/** @throws invalid, notFound, unsupported; FROM never comes here */
export async function describeStep(instruction: Exclude<Instruction, { kind: 'FROM' }>, scope: Scope): Promise<Change> {
  const { runtime, escape } = scope;
  const variables = scope.args.variables(runtime.Env ?? []);
  const expand = (word: string): string => expandWord(word, variables, escape);
  const plain = (createdBy: string, change: RuntimeConfig): Change => ({
    createdBy,
    key: [createdBy],
    runtime: { ...runtime, ...change },
  });

  switch (instruction.kind) {
    case 'ARG': {
      const shown: string[] = [];
      for (const { name, value } of instruction.args) {
        const meant =
          value === undefined ? undefined : expandWord(value, scope.args.variables(runtime.Env ?? []), escape);
        scope.args.declare(expand(name), meant);
        shown.push(meant === undefined ? name : `${name}=${meant}`);
      }
      return plain(`ARG ${shown.join(' ')}`, {});
    }
    case 'ENV': {
      const pairs = instruction.pairs.map(([key, value]) => [expand(key), expand(value)] as const);
      let env: readonly string[] = runtime.Env ?? [];
      for (const [key, value] of pairs) {
        if (key === '') throw invalid('ENV names can not be blank');
        env = withEnv(env, key, value);
      }
      return plain(`ENV ${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}`, { Env: env });
    }
    case 'LABEL': {
      const pairs = instruction.pairs.map(([key, value]) => [expand(key), expand(value)] as const);
      return plain(`LABEL ${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}`, {
        Labels: { ...runtime.Labels, ...Object.fromEntries(pairs) },
      });
    }
    case 'COPY':
    case 'ADD':
      return describeCopy(instruction, scope, variables);
    case 'RUN': {
      const isShellForm = instruction.command.form === 'shell';
      const script = instruction.heredocs.map((heredoc) => heredoc.content).join('');
      const words =
        instruction.command.form === 'exec'
          ? instruction.command.args
          : [...shellOf(runtime), script === '' ? instruction.command.text : script];
      const shown = isShellForm ? words.join(' ') : JSON.stringify(words);
      return {
        createdBy: `RUN ${shown}`,
        key: ['RUN', words, scope.args.entries(false)],
        runtime,
        run: { words, isShellForm },
      };
    }
    case 'CMD': {
      const words = wordsOf(instruction.command, runtime);
      return plain(`CMD ${JSON.stringify(words)}`, { Cmd: words });
    }
    case 'ENTRYPOINT': {
      const words = wordsOf(instruction.command, runtime);
      const { Cmd, ...rest } = runtime;
      return {
        createdBy: `ENTRYPOINT ${JSON.stringify(words)}`,
        key: ['ENTRYPOINT', words, scope.commandGiven],
        // A CMD of the base image was meant for its own entrypoint.
        runtime: { ...rest, ...(scope.commandGiven && Cmd ? { Cmd } : {}), Entrypoint: words },
      };
    }
    case 'WORKDIR': {
      const value = expand(instruction.value);
      if (value === '') throw invalid('WORKDIR requires exactly one argument');
      const path = normal(value.startsWith('/') ? value : `${runtime.WorkingDir || '/'}/${value}`);
      return {
        ...plain(`WORKDIR ${path}`, { WorkingDir: path }),
        layer: (root) => planDirectory(path, root),
      };
    }
    case 'EXPOSE': {
      const ports = instruction.values
        .flatMap((value) => expandWords(value, variables, escape))
        .flatMap(exposedPorts)
        .sort();
      const added = Object.fromEntries(ports.map((port) => [port, {}]));
      return plain(`EXPOSE ${ports.join(' ')}`, { ExposedPorts: { ...runtime.ExposedPorts, ...added } });
    }
    case 'VOLUME': {
      const paths = instruction.values.map((value) => expand(value).trim());
      if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string');
      const added = Object.fromEntries(paths.map((path) => [path, {}]));
      return plain(`VOLUME ${JSON.stringify(paths)}`, { Volumes: { ...runtime.Volumes, ...added } });
    }
    case 'USER': {
      const user = expand(instruction.value);
      return plain(`USER ${user}`, { User: user });
    }
    case 'STOPSIGNAL': {
      const signal = expand(instruction.value);
      checkSignal(signal);
      return plain(`STOPSIGNAL ${signal}`, { StopSignal: signal });
    }
    case 'MAINTAINER':
      return { ...plain(`MAINTAINER ${instruction.value}`, {}), author: instruction.value };
    case 'ONBUILD':
      return plain(`ONBUILD ${instruction.trigger}`, { OnBuild: [...(runtime.OnBuild ?? []), instruction.trigger] });
    case 'SHELL':
      return plain(`SHELL ${JSON.stringify(instruction.shell)}`, { Shell: instruction.shell });
    case 'HEALTHCHECK':
      return plain(
        `HEALTHCHECK ${JSON.stringify([...instruction.options, instruction.test])}`,
        healthcheck(instruction, runtime),
      );
    default:
      return assertNever(instruction);
  }
}

const shellOf = (runtime: RuntimeConfig): readonly string[] => runtime.Shell ?? ['/bin/sh', '-c'];

const wordsOf = (command: CommandLine, runtime: RuntimeConfig): readonly string[] =>
  command.form === 'exec' ? command.args : [...shellOf(runtime), command.text];

function normal(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/'))
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  return `/${out.join('/')}`;
}

function healthcheck(
  { options, test }: Extract<Instruction, { kind: 'HEALTHCHECK' }>,
  runtime: RuntimeConfig,
): RuntimeConfig {
  if (!('form' in test)) return { Healthcheck: { Test: test } };
  const number = (name: string, key: string) => {
    const text = options.get(name);
    const value = text === undefined ? 0 : duration(text, name);
    return value === 0 ? {} : { [key]: value };
  };
  const retries = options.get('retries');
  if (retries !== undefined && !/^\d+$/.test(retries)) throw invalid(`--retries must be at least 0 (not ${retries})`);
  const words =
    test.form === 'exec'
      ? ['CMD', ...test.args]
      : runtime.Shell
        ? ['CMD', ...runtime.Shell, test.text]
        : ['CMD-SHELL', test.text];
  return {
    Healthcheck: {
      Test: words,
      ...number('interval', 'Interval'),
      ...number('timeout', 'Timeout'),
      ...number('start-period', 'StartPeriod'),
      ...number('start-interval', 'StartInterval'),
      ...(retries !== undefined && retries !== '0' && { Retries: Number(retries) }),
    },
  };
}

async function describeCopy(
  instruction: CopyInstruction,
  scope: Scope,
  variables: ReadonlyMap<string, string>,
): Promise<Change> {
  const { kind } = instruction;
  const { runtime, escape } = scope;
  const expand = (word: string): string => expandWord(word, variables, escape);
  const mode = instruction.chmod === undefined ? undefined : chmodMode(expand(instruction.chmod));
  const requested = expand(instruction.target);
  const target = copyTarget(requested, runtime.WorkingDir ?? '');
  const chmod = mode === undefined ? '' : ` --chmod=${mode.toString(8)}`;

  if (instruction.heredocs.length > 0) {
    const names = instruction.sources.map((source) => /^<<-?["']?([^"']+)["']?$/.exec(source)?.[1]);
    if (names.includes(undefined))
      throw unsupported(`${kind} failed: files and heredocs cannot be mixed in one instruction`, {
        hint: `Use one ${kind} for the files and one for the heredoc.`,
      });
    const files = instruction.heredocs.map(({ name, expand: doExpand, content }) => ({
      name,
      content: Buffer.from(doExpand ? expandText(content, variables, escape) : content),
    }));
    return {
      createdBy: `${kind}${chmod} ${instruction.sources.join(' ')} ${requested}`,
      key: [kind, 'heredoc', files.map((file) => [file.name, file.content.toString('base64')]), requested, mode],
      runtime,
      layer: (root) => planFiles(files, target, root, mode),
    };
  }

  const sources = instruction.sources.map(expand);
  const remote = kind === 'ADD' ? sources.find((source) => /^(https?:|git@|git:)/.test(source)) : undefined;
  if (remote !== undefined)
    throw unsupported(`ADD failed: ${remote}: Drydock does not download in a build`, {
      hint: 'Download the file into the build context first.',
    });
  const tree = instruction.from === undefined ? scope.context : await scope.from(instruction.from);
  const selected = await selectSources(tree, sources, { kind, fromContext: instruction.from === undefined });
  const from = instruction.from === undefined ? '' : ` --from=${instruction.from}`;
  return {
    createdBy: `${kind}${from}${chmod} ${sources.join(' ')} ${requested}`,
    key: [kind, await contentKey(tree, selected), requested, runtime.WorkingDir ?? '', mode],
    runtime,
    layer: (root) => planCopy(tree, selected, target, root, { kind, mode, unpack: kind === 'ADD' }),
  };
}
