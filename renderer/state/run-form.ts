import type { RunRequest } from '../../electron/contract/containers.ts';
import type { ImageDetails } from '../../electron/contract/images.ts';
import type { ModuleInfo, StagedModule } from '../../electron/contract/modules.ts';
import { referenceProblem } from './image-name.ts';

/** What the sheet is about: a file that waits to become an image, or an image. */
export type RunSubject =
  | { readonly kind: 'staged'; readonly staged: StagedModule }
  | { readonly kind: 'image'; readonly details: ImageDetails; readonly reference: string };

export const moduleOf = (subject: RunSubject): ModuleInfo | null =>
  subject.kind === 'staged' ? subject.staged.module : subject.details.module;

/** Everything a person can type into the sheet, as typed. Plain and serialisable. */
export interface RunFields {
  reference: string;
  name: string;
  args: string;
  listen: boolean;
  ports: { host: string; port: string }[];
  files: boolean;
  folders: { source: string; target: string; readOnly: boolean }[];
  env: boolean;
  variables: string[];
  interactive: boolean;
  /** MB (1,000,000 bytes); '' = no limit. */
  memory: string;
  restart: RunRequest['restart'];
  autoRemove: boolean;
}

export interface RunProblem {
  /** The field at fault: "reference", "args", "ports.0", "folders.1.source", … */
  readonly field: string;
  readonly problem:
    | 'empty'
    | 'upperCase'
    | 'form'
    | 'quote'
    | 'port'
    | 'portTwice'
    | 'absolute'
    | 'targetRoot'
    | 'equals'
    | 'memory'
    | 'memorySmall'
    | 'name'
    | 'restartRemove';
}

/** The first values of the form, from what the module asks for and what the image says. */
export function initialFields(subject: RunSubject): RunFields {
  const module = moduleOf(subject);
  const can = module?.capabilities;
  const details = subject.kind === 'image' ? subject.details : undefined;
  const exposed = (details?.exposedPorts ?? []).map((port) => port.split('/')[0] ?? '').filter(Boolean);
  return {
    reference: subject.kind === 'staged' ? subject.staged.suggestedReference : subject.reference,
    name: '',
    args: joinArguments(details?.command ?? []),
    listen: exposed.length > 0,
    ports: exposed.length > 0 ? exposed.map((port) => ({ host: port, port })) : [{ host: '8080', port: '8080' }],
    files: false,
    folders: [{ source: '', target: '/data', readOnly: !can?.filesWrite }],
    env: false,
    variables: [''],
    interactive: false,
    memory: '',
    restart: 'no',
    autoRemove: false,
  };
}

/** Splits as a shell would: blanks separate, quotes and backslashes keep. undefined when a quote is not closed. */
export function splitArguments(text: string): string[] | undefined {
  const out: string[] = [];
  let word = '';
  let open = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"' && /["\\]/.test(text[i + 1] ?? '')) word += text[++i] ?? '';
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      open = true;
    } else if (character === '\\' && i + 1 < text.length) {
      word += text[++i] ?? '';
      open = true;
    } else if (/\s/.test(character)) {
      if (open) out.push(word);
      word = '';
      open = false;
    } else {
      word += character;
      open = true;
    }
  }
  if (quote !== '') return undefined;
  if (open) out.push(word);
  return out;
}

/** The inverse of splitArguments. */
export const joinArguments = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');

const isPort = (text: string, least: number): boolean =>
  /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= 65_535;
const isAbsolute = (path: string): boolean => /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
/** Wasm's page is 64 KiB, so is the least memory that means anything; the engine's own floor is docker's 6 MB. */
const leastMemory = 1;

/** The request for containers.run, or everything that is wrong with the form. `imageArgs`: the image's own, which are sent as "not given". */
export function toRequest(
  fields: RunFields,
  subject: RunSubject,
): { request: RunRequest } | { problems: RunProblem[] } {
  const problems: RunProblem[] = [];
  const wrong = (field: string, problem: RunProblem['problem']): void => void problems.push({ field, problem });

  const reference = fields.reference.trim();
  const badReference = referenceProblem(reference);
  if (badReference) wrong('reference', badReference);
  const name = fields.name.trim();
  if (name !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) wrong('name', 'name');

  const args = splitArguments(fields.args);
  if (!args) wrong('args', 'quote');

  const ports: RunRequest['ports'] = [];
  if (fields.listen) {
    fields.ports.forEach(({ host, port }, i) => {
      if (host === '' && port === '') return;
      if (!isPort(host, 0) || !isPort(port, 1)) wrong(`ports.${i}`, 'port');
      else if (host !== '0' && ports.some((other) => other.hostPort === Number(host))) wrong(`ports.${i}`, 'portTwice');
      else ports.push({ hostPort: Number(host), port: Number(port) });
    });
  }

  const mounts: RunRequest['mounts'] = [];
  if (fields.files) {
    fields.folders.forEach(({ source, target, readOnly }, i) => {
      if (source.trim() === '' && fields.folders.length > 1) return;
      if (source.trim() === '') wrong(`folders.${i}.source`, 'empty');
      else if (!isAbsolute(source.trim())) wrong(`folders.${i}.source`, 'absolute');
      if (!target.trim().startsWith('/')) wrong(`folders.${i}.target`, 'absolute');
      else if (/^\/+$/.test(target.trim())) wrong(`folders.${i}.target`, 'targetRoot');
      mounts.push({ type: 'bind', source: source.trim(), target: target.trim(), readOnly });
    });
  }

  const env: string[] = [];
  if (fields.env) {
    fields.variables.forEach((variable, i) => {
      if (variable.trim() === '') return;
      if (!/^[^=\s]+=/.test(variable)) wrong(`variables.${i}`, 'equals');
      else env.push(variable);
    });
  }

  let memory = 0;
  if (fields.memory.trim() !== '') {
    const megabytes = Number(fields.memory.trim());
    if (!Number.isFinite(megabytes) || megabytes < 0) wrong('memory', 'memory');
    else if (megabytes > 0 && megabytes < leastMemory) wrong('memory', 'memorySmall');
    else memory = Math.round(megabytes * 1_000_000);
  }
  if (fields.autoRemove && fields.restart !== 'no') wrong('restart', 'restartRemove');

  if (problems.length > 0 || !args) return { problems };
  const imageArgs = subject.kind === 'image' ? subject.details.command : [];
  const sameArgs = args.length === imageArgs.length && args.every((word, i) => word === imageArgs[i]);
  return {
    request: {
      image: reference,
      ...(name === '' ? {} : { name }),
      ...(sameArgs ? {} : { command: args }),
      env,
      mounts,
      ports,
      memory,
      tty: fields.interactive,
      openStdin: fields.interactive,
      autoRemove: fields.autoRemove,
      restart: fields.restart,
    },
  };
}

/** The docker command that does the same, for people who want to repeat it. */
export function dockerCommand(request: RunRequest): string {
  const quote = (word: string): string => joinArguments([word]);
  const out = ['docker run', request.tty ? '-it' : request.openStdin ? '-i' : '-d'];
  if (request.autoRemove) out.push('--rm');
  if (request.name) out.push(`--name ${request.name}`);
  for (const { hostPort, port } of request.ports) out.push(`-p ${hostPort}:${port}`);
  if (request.memory > 0) out.push(`-m ${request.memory}`);
  for (const mount of request.mounts)
    out.push(`-v ${quote(`${mount.source}:${mount.target}${mount.readOnly ? ':ro' : ''}`)}`);
  for (const variable of request.env) out.push(`-e ${quote(variable)}`);
  if (request.restart !== 'no') out.push(`--restart ${request.restart}`);
  out.push(request.image);
  if (request.command?.length) out.push(joinArguments(request.command));
  return out.join(' ');
}
