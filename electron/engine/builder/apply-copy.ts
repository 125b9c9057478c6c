/** COPY and ADD: what they mean, before anything is read. */
import { createHash } from 'node:crypto';
import { invalid, notFound, unsupported } from '../../base/errors.ts';
import type { RuntimeConfig } from '../images/oci.ts';
import type { Change } from './apply.ts';
import type { BuildArguments } from './arguments.ts';
import { contentKey, selectSources, type Selected } from './copy.ts';
import { copyTarget, planCopy, type CopySource } from './copy-layer.ts';
import { expandText, expandWord, type Variables } from './dockerfile/expand.ts';
import type { CopyInstruction } from './dockerfile/instructions.ts';
import { heredocName } from './dockerfile/lines.ts';
import { isRemote, parseChecksum, type Download } from './remote-file.ts';
import type { Tree } from './tree.ts';
import { chmodMode } from './values.ts';

export interface CopyScope {
  readonly runtime: RuntimeConfig;
  readonly args: BuildArguments;
  readonly escape: string;
  readonly context: Tree;
  /** The tree of `--from`. @throws invalid, notFound */
  readonly from: (name: string) => Promise<Tree>;
  /** Of ADD, a file of the web. */
  readonly download: Download;
}

/** @throws invalid, notFound, unsupported, and what a download failed with */
export async function describeCopy(
  instruction: CopyInstruction,
  scope: CopyScope,
  variables: Variables,
): Promise<Change> {
  const { kind, from } = instruction;
  const { runtime, escape } = scope;
  const expand = (word: string): string => expandWord(word, variables, escape);
  const mode = instruction.chmod === undefined ? undefined : chmodMode(expand(instruction.chmod));
  const checksum = instruction.checksum === undefined ? undefined : parseChecksum(expand(instruction.checksum));
  const requested = expand(instruction.target);
  const heredocs = [...instruction.heredocs];
  const sources: CopySource[] = [];
  const shown: string[] = [];
  let files: Tree | undefined;

  for (const word of instruction.sources) {
    const heredoc = heredocName(word) === undefined ? undefined : heredocs.shift();
    if (heredoc) {
      shown.push(word);
      sources.push(
        textSource(heredoc.name, heredoc.expand ? expandText(heredoc.content, variables, escape) : heredoc.content),
      );
      continue;
    }
    const source = expand(word);
    shown.push(source);
    if (kind === 'ADD' && isRemote(source)) {
      const { tree, name } = await scope.download(source, checksum);
      if (name === '' && copyTarget(requested, '').isDirectory)
        throw invalid(`ADD failed: cannot determine filename for source ${source}`, {
          hint: 'Name the file in the destination.',
        });
      sources.push({ tree, selected: [await single(tree, name)], unpack: false });
      continue;
    }
    if (kind === 'ADD' && checksum !== undefined)
      throw unsupported(`ADD failed: --checksum is for what is downloaded, not for ${source}`);
    files ??= from === undefined ? scope.context : await scope.from(from);
    const selected = await selectSources(files, [source], { kind, fromContext: from === undefined });
    sources.push({ tree: files, selected, unpack: kind === 'ADD' });
  }

  if (sources.every(({ selected }) => selected.length === 0))
    throw notFound(`${kind} failed: no source files were specified`, {
      hint: `Nothing matches ${shown.join(' ')}${from === undefined ? ' in the build context' : ''}.`,
    });
  const flags = `${from === undefined ? '' : ` --from=${from}`}${mode === undefined ? '' : ` --chmod=${mode.toString(8)}`}`;
  const contents = await Promise.all(sources.map(({ tree, selected }) => contentKey(tree, selected)));
  return {
    createdBy: `${kind}${flags} ${shown.join(' ')} ${requested}`,
    key: [kind, contents, requested, runtime.WorkingDir ?? '', mode],
    runtime,
    layer: (root) => planCopy(sources, copyTarget(requested, runtime.WorkingDir ?? ''), root, { kind, mode }),
  };
}

/** A file that is written in the Dockerfile. */
function textSource(name: string, text: string): CopySource {
  const content = Buffer.from(text);
  const entry = { type: 'file', mode: 0o644, mtime: new Date(0), size: content.length } as const;
  const tree: Tree = {
    lstat: () => Promise.resolve(entry),
    list: () => Promise.resolve([]),
    read: async function* () {
      yield content;
    },
    digest: () => Promise.resolve(createHash('sha256').update(content).digest('hex')),
  };
  const baseName = name.slice(name.lastIndexOf('/') + 1);
  return {
    tree,
    selected: [{ baseName, isDirectory: false, items: [{ name: '', path: name, entry }] }],
    unpack: false,
  };
}

async function single(tree: Tree, name: string): Promise<Selected> {
  const entry = await tree.lstat(name);
  if (!entry) throw invalid(`${name} was not downloaded`);
  return { baseName: name, isDirectory: false, items: [{ name: '', path: name, entry }] };
}
