import { assertNever, invalid } from '../../base/errors.ts';
import { parseSignal } from '../containers/signals.ts';
import type { RuntimeConfig } from '../images/oci.ts';
import { describeCopy, type CopyScope } from './apply-copy.ts';
import { describeRun, shellOf, type RunPlan } from './apply-run.ts';
import { planDirectory, type LayerPlan } from './copy-layer.ts';
import { expandWord, expandWords } from './dockerfile/expand.ts';
import type { CommandLine, Instruction } from './dockerfile/instructions.ts';
import type { StageRoot } from './stage-root.ts';
import { exposedPorts, withEnv } from './values.ts';

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
  readonly run?: RunPlan;
}

export interface Scope extends CopyScope {
  /** CMD was given in this stage: ENTRYPOINT then keeps it. */
  readonly commandGiven: boolean;
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
        // As for ENV: what the line itself declares is not seen by it.
        const meant = value === undefined ? undefined : expand(value);
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
    case 'RUN':
      return describeRun(instruction, runtime, scope.args);
    case 'CMD': {
      const words = wordsOf(instruction.command, runtime);
      return plain(`CMD ${goQuoted(words)}`, { Cmd: words });
    }
    case 'ENTRYPOINT': {
      const { command } = instruction;
      const isEmpty = command.form === 'exec' ? command.args.length === 0 : command.text === '';
      const words = wordsOf(command, runtime);
      const { Cmd, Entrypoint: _, ...rest } = runtime;
      return {
        createdBy: `ENTRYPOINT ${goQuoted(isEmpty ? [] : words)}`,
        key: ['ENTRYPOINT', words, scope.commandGiven],
        // A CMD of the base image was meant for its own entrypoint. An empty one takes the entrypoint away.
        runtime: { ...rest, ...(scope.commandGiven && Cmd ? { Cmd } : {}), ...(!isEmpty && { Entrypoint: words }) },
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
      return plain(`EXPOSE [${ports.join(' ')}]`, { ExposedPorts: { ...runtime.ExposedPorts, ...added } });
    }
    case 'VOLUME': {
      const paths = instruction.values.map((value) => expand(value).trim());
      if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string');
      const added = Object.fromEntries(paths.map((path) => [path, {}]));
      return plain(`VOLUME [${paths.join(' ')}]`, { Volumes: { ...runtime.Volumes, ...added } });
    }
    case 'USER': {
      const user = expand(instruction.value);
      return plain(`USER ${user}`, { User: user });
    }
    case 'STOPSIGNAL': {
      const signal = expand(instruction.value);
      parseSignal(signal);
      return plain(`STOPSIGNAL ${signal}`, { StopSignal: signal });
    }
    case 'MAINTAINER':
      return { ...plain(`MAINTAINER ${instruction.value}`, {}), author: instruction.value };
    case 'ONBUILD':
      return plain(`ONBUILD ${instruction.trigger}`, { OnBuild: [...(runtime.OnBuild ?? []), instruction.trigger] });
    case 'SHELL':
      return plain(`SHELL [${instruction.shell.join(' ')}]`, { Shell: instruction.shell });
    case 'HEALTHCHECK':
      return plain(instruction.text, healthcheck(instruction));
    default:
      return assertNever(instruction);
  }
}

/** An empty shell form is the shell alone, as moby has it. */
const wordsOf = (command: CommandLine, runtime: RuntimeConfig): readonly string[] =>
  command.form === 'exec' ? command.args : [...shellOf(runtime), ...(command.text === '' ? [] : [command.text])];

/** `["a" "b c"]`, as docker's history shows command lines. */
const goQuoted = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;

function normal(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/'))
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  return `/${out.join('/')}`;
}

function healthcheck({ times, test }: Extract<Instruction, { kind: 'HEALTHCHECK' }>): RuntimeConfig {
  if (!('form' in test)) return { Healthcheck: { Test: test } };
  const said = (key: string, value: number) => (value === 0 ? {} : { [key]: value });
  return {
    Healthcheck: {
      // Whoever runs it knows the image's SHELL.
      Test: test.form === 'exec' ? ['CMD', ...test.args] : ['CMD-SHELL', test.text],
      ...said('Interval', times.interval),
      ...said('Timeout', times.timeout),
      ...said('StartPeriod', times.startPeriod),
      ...said('StartInterval', times.startInterval),
      ...said('Retries', times.retries),
    },
  };
}
