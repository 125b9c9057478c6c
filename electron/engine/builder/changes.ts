import { invalid } from '../../base/errors.ts';
import type { RuntimeConfig } from '../images/oci.ts';
import { describeStep } from './apply.ts';
import { BuildArguments } from './arguments.ts';
import { parseInstruction } from './dockerfile/instructions.ts';
import type { Tree } from './tree.ts';

/** Those that need neither files nor programs (moby: builder/dockerfile/evaluator.go, validCommitCommands). */
const allowed = new Set(
  'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);

const nothing: Tree = {
  lstat: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  read: () => {
    throw new Error('there is no build context');
  },
  digest: () => Promise.reject(new Error('there is no build context')),
};

/**
 * `--change` of commit and import: instructions over a configuration, without a build.
 * @throws invalid for an instruction that cannot be parsed or that would need a build
 */
export async function applyChanges(runtime: RuntimeConfig, changes: readonly string[]): Promise<RuntimeConfig> {
  const args = new BuildArguments({}, 'wasi/wasm');
  args.beginStage();
  let config = runtime;
  let commandGiven = false;
  for (const [index, text] of changes.entries()) {
    const instruction = parseInstruction({ line: index + 1, text, heredocs: [] }, '\\');
    if (instruction.kind === 'FROM' || !allowed.has(instruction.kind))
      throw invalid(`${instruction.kind} is not a valid change command: ${text}`, {
        hint: `Valid are ${[...allowed].join(', ')}.`,
      });
    const scope = {
      runtime: config,
      args,
      escape: '\\',
      commandGiven,
      context: nothing,
      from: () => Promise.resolve(nothing),
      download: () => Promise.reject(invalid('there is nothing to download for')),
    };
    config = (await describeStep(instruction, scope)).runtime;
    commandGiven ||= instruction.kind === 'CMD';
  }
  return config;
}
