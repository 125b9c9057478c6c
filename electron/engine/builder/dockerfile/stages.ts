import { invalid } from '../../../base/errors.ts';
import { parseInstruction, type Instruction } from './instructions.ts';
import { parseError, readLines } from './lines.ts';

type Of<K extends Instruction['kind']> = Extract<Instruction, { readonly kind: K }>;

export interface Stage {
  readonly index: number;
  readonly from: Of<'FROM'>;
  readonly steps: readonly Instruction[];
}

export interface Dockerfile {
  readonly escape: string;
  /** ARG before the first FROM: for FROM lines, and for `ARG NAME` in stages. */
  readonly globals: readonly Of<'ARG'>[];
  /** Up to and with the target. */
  readonly stages: readonly Stage[];
}

/**
 * Parses a whole Dockerfile. `target` is a stage's name or number. `labels` are added to the last stage as one LABEL step.
 * @throws invalid with the line
 */
export function parseDockerfile(
  source: string,
  options: { readonly target?: string | undefined; readonly labels?: Readonly<Record<string, string>> } = {},
): Dockerfile {
  const { escape, lines } = readLines(source);
  const globals: Of<'ARG'>[] = [];
  const stages: { index: number; from: Of<'FROM'>; steps: Instruction[] }[] = [];
  for (const line of lines) {
    const instruction = parseInstruction(line, escape);
    const stage = stages.at(-1);
    if (instruction.kind === 'FROM') stages.push({ index: stages.length, from: instruction, steps: [] });
    else if (stage) stage.steps.push(instruction);
    else if (instruction.kind === 'ARG') globals.push(instruction);
    else throw parseError(line.line, 'no build stage in current context');
  }
  if (stages.length === 0) throw invalid('dockerfile parse error: no build stage in current context');
  const last = targetIndex(stages, options.target);
  const kept = stages.slice(0, last + 1);
  const labels = Object.entries(options.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (labels.length > 0)
    kept.at(-1)?.steps.push({
      kind: 'LABEL',
      line: 0,
      text: `LABEL ${labels.map(([key, value]) => `${key}=${value}`).join(' ')}`,
      pairs: labels.map(([key, value]) => [literal(key), literal(value)] as const),
    });
  return { escape, globals, stages: kept };
}

function targetIndex(stages: readonly Stage[], target: string | undefined): number {
  if (target === undefined || target === '') return stages.length - 1;
  const named = stages.findIndex((stage) => stage.from.stage === target.toLowerCase());
  if (named >= 0) return named;
  const index = /^\d+$/.test(target) ? Number(target) : stages.length;
  if (index < stages.length) return index;
  throw invalid(`failed to reach build target ${target} in Dockerfile`, { data: { target } });
}

/** Quoted so that expansion gives it back as it is. */
const literal = (text: string): string =>
  text
    .split("'")
    .map((part) => `'${part}'`)
    .join(`"'"`);
