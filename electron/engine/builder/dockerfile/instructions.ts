import { toDrydockError } from '../../../base/errors.ts';
import { duration } from './duration.ts';
import { parseError, type Heredoc, type LogicalLine } from './lines.ts';
import { jsonStrings, splitBlanks, splitWords, takeFlags } from './words.ts';

/** A command line in one of its two forms: words to execute, or a text for the shell. */
export type CommandLine =
  { readonly form: 'exec'; readonly args: readonly string[] } | { readonly form: 'shell'; readonly text: string };

/** Words are as they were written: not expanded, quotes and escapes in place. */
export type Instruction = { readonly line: number; readonly text: string } & InstructionKind;

export type CopyInstruction = {
  readonly kind: 'COPY' | 'ADD';
  readonly sources: readonly string[];
  readonly target: string;
  /** COPY only: stage name, stage number or image. */
  readonly from: string | undefined;
  readonly chmod: string | undefined;
  /** ADD only, of what is downloaded. */
  readonly checksum: string | undefined;
  readonly heredocs: readonly Heredoc[];
};

type InstructionKind =
  | {
      readonly kind: 'FROM';
      readonly image: string;
      readonly stage: string | undefined;
      readonly platform: string | undefined;
    }
  | { readonly kind: 'ARG'; readonly args: readonly { readonly name: string; readonly value: string | undefined }[] }
  | { readonly kind: 'ENV' | 'LABEL'; readonly pairs: readonly (readonly [key: string, value: string])[] }
  | CopyInstruction
  | {
      readonly kind: 'RUN';
      readonly command: CommandLine;
      /** Of this step alone: 'none' takes the build's network away. */
      readonly network: 'default' | 'none';
      readonly heredocs: readonly Heredoc[];
    }
  | { readonly kind: 'CMD' | 'ENTRYPOINT'; readonly command: CommandLine }
  | { readonly kind: 'WORKDIR' | 'USER' | 'STOPSIGNAL' | 'MAINTAINER'; readonly value: string }
  | { readonly kind: 'EXPOSE' | 'VOLUME'; readonly values: readonly string[] }
  | { readonly kind: 'ONBUILD'; readonly trigger: string }
  | { readonly kind: 'SHELL'; readonly shell: readonly string[] }
  | {
      readonly kind: 'HEALTHCHECK';
      /** Nanoseconds, 0 = not said; `retries` likewise. */
      readonly times: Readonly<Record<'interval' | 'timeout' | 'startPeriod' | 'startInterval' | 'retries', number>>;
      readonly test: readonly string[] | CommandLine;
    };

/** @throws invalid `dockerfile parse error line N: …` in moby's words */
export function parseInstruction(source: LogicalLine, escape: string): Instruction {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(source.text);
  const keyword = (match?.[1] ?? '').toUpperCase();
  const { flags, rest } = takesFlags.has(keyword)
    ? takeFlags(match?.[2] ?? '')
    : { flags: new Map<string, string>(), rest: (match?.[2] ?? '').trim() };
  const fail = (message: string, hint?: string) => parseError(source.line, message, hint);
  const allow = (...names: string[]): void => {
    for (const flag of flags.keys()) {
      const instead = needsBuildKit[`${keyword} --${flag}`];
      if (instead !== undefined)
        throw fail(
          `the --${flag} option of ${keyword} requires BuildKit`,
          `Drydock's builder is not BuildKit. ${instead}`,
        );
      if (!names.includes(flag)) throw fail(`unknown flag: ${flag}`);
    }
  };
  const need = (): void => {
    if (rest === '') throw fail(`${keyword} requires at least one argument`);
  };
  const one = (): string => {
    if (rest === '') throw fail(`${keyword} requires exactly one argument`);
    return rest;
  };
  const base = { line: source.line, text: source.text };

  switch (keyword) {
    case 'FROM': {
      allow('platform');
      const words = splitBlanks(rest);
      const hasName = words.length === 3 && words[1]?.toUpperCase() === 'AS';
      if (words.length !== 1 && !hasName) throw fail('FROM requires either one or three arguments');
      const stage = words[2]?.toLowerCase();
      if (stage !== undefined && !/^[a-z][a-z0-9._-]*$/.test(stage))
        throw fail(`invalid name for build stage: "${stage}", name can't start with a number or contain symbols`);
      return { ...base, kind: 'FROM', image: words[0] ?? '', stage, platform: flags.get('platform') };
    }
    case 'ARG': {
      need();
      const args = splitWords(rest, escape).map((word) => {
        const at = word.indexOf('=');
        const name = at < 0 ? word : word.slice(0, at);
        if (name === '') throw fail('ARG names can not be blank');
        return { name, value: at < 0 ? undefined : word.slice(at + 1) };
      });
      return { ...base, kind: 'ARG', args };
    }
    case 'ENV':
    case 'LABEL':
      need();
      return { ...base, kind: keyword, pairs: parsePairs(keyword, rest, escape, fail) };
    case 'COPY':
    case 'ADD': {
      if (keyword === 'COPY') allow('from', 'chown', 'chmod', 'link');
      else allow('chown', 'chmod', 'link', 'checksum');
      const words = jsonStrings(rest) ?? splitBlanks(rest);
      if (words.length === 0) throw fail(`${keyword} requires at least two arguments, but no arguments were provided`);
      if (words.length === 1)
        throw fail(
          `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
        );
      const chmod = flags.get('chmod');
      return {
        ...base,
        kind: keyword,
        sources: words.slice(0, -1),
        target: words.at(-1) ?? '',
        from: flags.get('from'),
        chmod,
        checksum: flags.get('checksum'),
        heredocs: source.heredocs,
      };
    }
    case 'RUN': {
      allow('network');
      need();
      const network = flags.get('network') ?? 'default';
      if (network !== 'default' && network !== 'none')
        throw fail(
          `RUN --network=${network} is not allowed: it is "default" or "none"`,
          'The network of all steps is chosen with docker build --network.',
        );
      return { ...base, kind: 'RUN', command: commandLine(rest), network, heredocs: source.heredocs };
    }
    case 'CMD':
    case 'ENTRYPOINT':
      return { ...base, kind: keyword, command: commandLine(rest) };
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return { ...base, kind: keyword, value: one() };
    case 'EXPOSE':
      need();
      return { ...base, kind: 'EXPOSE', values: splitBlanks(rest) };
    case 'VOLUME': {
      need();
      const values = jsonStrings(rest) ?? splitBlanks(rest);
      if (values.length === 0) throw fail('VOLUME requires at least one argument');
      if (values.some((value) => value.trim() === '')) throw fail('VOLUME specified can not be an empty string');
      return { ...base, kind: 'VOLUME', values };
    }
    case 'ONBUILD': {
      need();
      const trigger = (/^\S+/.exec(rest)?.[0] ?? '').toUpperCase();
      if (trigger === 'ONBUILD') throw fail("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
      if (trigger === 'MAINTAINER' || trigger === 'FROM') throw fail(`${trigger} isn't allowed as an ONBUILD trigger`);
      // What it says is checked now, not when somebody builds on this image.
      parseInstruction({ ...source, text: rest }, escape);
      const files = source.heredocs.map((heredoc) => heredoc.source).join('');
      return { ...base, kind: 'ONBUILD', trigger: `${rest}\n${files}`.trimEnd() };
    }
    case 'SHELL': {
      const shell = jsonStrings(rest);
      if (!shell) throw fail('SHELL requires the arguments to be in JSON form');
      if (shell.length === 0) throw fail('SHELL requires at least one argument');
      return { ...base, kind: 'SHELL', shell };
    }
    case 'HEALTHCHECK': {
      allow('interval', 'timeout', 'start-period', 'start-interval', 'retries');
      need();
      const type = (/^\S+/.exec(rest)?.[0] ?? '').toUpperCase();
      const after = rest.slice(type.length).trim();
      const time = (name: string): number => {
        try {
          return duration(flags.get(name) ?? '0', name);
        } catch (error) {
          const { message, hint } = toDrydockError(error);
          throw fail(message, hint);
        }
      };
      const retries = flags.get('retries') ?? '0';
      if (!/^\d{1,9}$/.test(retries)) throw fail(`--retries must be at least 1 (not ${retries})`);
      const times = {
        interval: time('interval'),
        timeout: time('timeout'),
        startPeriod: time('start-period'),
        startInterval: time('start-interval'),
        retries: Number(retries),
      };
      if (type === 'NONE') {
        if (after !== '') throw fail('HEALTHCHECK NONE takes no arguments');
        return { ...base, kind: 'HEALTHCHECK', times, test: ['NONE'] };
      }
      if (type !== 'CMD') throw fail(`Unknown type "${type}" in HEALTHCHECK (try CMD)`);
      if (after === '') throw fail('Missing command after HEALTHCHECK CMD');
      return { ...base, kind: 'HEALTHCHECK', times, test: commandLine(after) };
    }
    default:
      throw fail(`unknown instruction: ${keyword}`);
  }
}

/** What is left out, and what to do instead. To leave them unheard would build another image than was meant. */
const needsBuildKit: Readonly<Record<string, string>> = {
  'RUN --mount': 'COPY what the program needs into the stage; a stage of its own keeps it out of the image.',
  'RUN --security': 'A WebAssembly program has no privileges to be given or taken away.',
  'RUN --device': 'A WebAssembly program has no devices.',
  'COPY --parents': 'Name the directories in the destination.',
  'COPY --exclude': 'Leave the files out by .dockerignore, or copy from a stage that lacks them.',
  'ADD --exclude': 'Leave the files out by .dockerignore.',
  'ADD --unpack': 'ADD unpacks local archives, and keeps what it downloads as it is.',
  'ADD --keep-git-dir': 'Clone the repository into the build context first.',
};

const takesFlags = new Set(['FROM', 'COPY', 'ADD', 'RUN', 'HEALTHCHECK']);

function commandLine(text: string): CommandLine {
  const args = jsonStrings(text);
  return args ? { form: 'exec', args } : { form: 'shell', text };
}

/** `KEY=value KEY2=value2`, or the old `KEY the rest of the line`. */
function parsePairs(
  keyword: string,
  rest: string,
  escape: string,
  fail: (message: string) => Error,
): (readonly [string, string])[] {
  const words = splitWords(rest, escape);
  if (!words[0]?.includes('=')) {
    const old = /^(\S+)\s+([\s\S]*)$/.exec(rest);
    if (!old) throw fail(`${keyword} must have two arguments`);
    return [[old[1] ?? '', old[2] ?? '']];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 0) throw fail(`Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    if (at === 0) throw fail(`${keyword} names can not be blank`);
    return [word.slice(0, at), word.slice(at + 1)] as const;
  });
}
