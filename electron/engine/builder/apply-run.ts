/** RUN: what will be started. */
import { posix } from 'node:path';
import type { RuntimeConfig } from '../images/oci.ts';
import type { Change } from './apply.ts';
import type { BuildArguments } from './arguments.ts';
import type { Instruction } from './dockerfile/instructions.ts';
import { heredocName, type Heredoc } from './dockerfile/lines.ts';

export interface RunPlan {
  /** argv */
  readonly words: readonly string[];
  readonly isShellForm: boolean;
  /** This step gets no network, whatever the build has. */
  readonly isolated: boolean;
  /** A heredoc that names its own program (`#!/python.wasm`): a file at `scriptDirectory` while the step runs. */
  readonly script?: { readonly name: string; readonly content: string };
}

/** Where BuildKit shows scripts, too. */
export const scriptDirectory = '/dev/pipes';

export const shellOf = (runtime: RuntimeConfig): readonly string[] => runtime.Shell ?? ['/bin/sh', '-c'];

/** Of the cache: the command and the arguments that it sees, the predefined ones left out. */
export function describeRun(
  instruction: Extract<Instruction, { kind: 'RUN' }>,
  runtime: RuntimeConfig,
  args: BuildArguments,
): Change {
  const { command, heredocs, network } = instruction;
  const seen = args.entries(false);
  const plan = (words: readonly string[], isShellForm: boolean, script?: RunPlan['script']): Change => ({
    createdBy: `RUN ${[...(seen.length > 0 ? [`|${seen.length}`, ...seen] : []), ...words].join(' ')}`,
    key: ['RUN', words, seen, script?.content ?? '', network],
    runtime,
    run: { words, isShellForm, isolated: network === 'none', ...(script && { script }) },
  });
  if (command.form === 'exec') return plan(command.args, false);
  const [only] = heredocs;
  // The heredoc is all there is: it is the script.
  if (only && heredocs.length === 1 && heredocName(command.text) !== undefined) {
    const program = interpreter(only);
    if (!program) return plan([...shellOf(runtime), only.content], true);
    const name = posix.basename(only.name);
    return plan([...program, `${scriptDirectory}/${name}`], false, { name, content: only.content });
  }
  // A shell reads them itself.
  const files = heredocs.map((heredoc) => heredoc.source).join('');
  return plan([...shellOf(runtime), files === '' ? command.text : `${command.text}\n${files}`], true);
}

/** The program and argument of a `#!` line. `env` is left out: a WASI program starts no other, so it is looked up along PATH right away. */
function interpreter({ content }: Heredoc): readonly string[] | undefined {
  const match = /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t]*(?:\n|$)/.exec(content);
  if (!match?.[1]) return undefined;
  const [, program, argument = ''] = match;
  if (posix.basename(program) === 'env' && argument !== '') return argument.replace(/^-S\s+/, '').split(/\s+/);
  return argument === '' ? [program] : [program, argument];
}
