/** RUN as a step: a program of the stage, and the layer of what it leaves. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildEvent } from '../api/images.ts';
import { writeLayer, type WrittenLayer } from '../images/layer-writer.ts';
import { scriptDirectory, type RunPlan } from './apply-run.ts';
import { noRunner, programOf, runProgram, upperEntries } from './run.ts';
import { cancellable, text, type Session } from './session.ts';

/**
 * @param number of the RUN within the build, from 1
 * @param lower the stage's root
 * @throws invalid, unsupported, and what its start failed with
 */
export async function* runStep(
  { world, options, lease, directory, signal }: Session,
  number: number,
  run: RunPlan,
  { lower, env, workingDir }: { readonly lower: string; readonly env: readonly string[]; readonly workingDir: string },
): AsyncGenerator<BuildEvent, WrittenLayer> {
  const program = await programOf(run.words, run.isShellForm, lower, { env, workingDir });
  if (!world.runProgram) throw noRunner();
  const upper = join(directory, `run-${number}`);
  await mkdir(upper);
  const { network = '', extraHosts = [], memory = 0, nanoCpus = 0, openFiles = 0 } = options;
  const request = {
    ...{ lower, upper, program, argv: run.words, env, workingDir, extraHosts, memory, nanoCpus, openFiles },
    mounts: run.script ? [await scriptMount(join(directory, `scripts-${number}`), run.script)] : [],
    network: run.isolated ? 'none' : network || 'default',
    group: directory,
  };
  for await (const output of runProgram(world.runProgram, request, run.words.join(' '), signal)) yield text(output);
  const layer = await writeLayer(lease, cancellable(signal, upperEntries(upper)));
  await rm(upper, { recursive: true, force: true });
  return layer;
}

async function scriptMount(
  source: string,
  { name, content }: NonNullable<RunPlan['script']>,
): Promise<{ readonly target: string; readonly source: string }> {
  await mkdir(source);
  await writeFile(join(source, name), content);
  return { target: scriptDirectory, source };
}
