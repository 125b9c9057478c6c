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
      readonly kind: 'RUN' | 'CMD' | 'ENTRYPOINT';
      readonly command: CommandLine;
      readonly heredocs: readonly Heredoc[];
    }
  | { readonly kind: 'WORKDIR' | 'USER' | 'STOPSIGNAL' | 'MAINTAINER'; readonly value: string }
  | { readonly kind: 'EXPOSE' | 'VOLUME'; readonly values: readonly string[] }
  | { readonly kind: 'ONBUILD'; readonly trigger: string }
  | { readonly kind: 'SHELL'; readonly shell: readonly string[] }
  | {
      readonly kind: 'HEALTHCHECK';
      readonly options: ReadonlyMap<string, string>;
      readonly test: readonly string[] | CommandLine;
    };

/** @throws invalid `dockerfile parse error line N: …` in moby's words */
export function parseInstruction(source: LogicalLine, escape: string): Instruction {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(source.text);
  const keyword = (match?.[1] ?? '').toUpperCase();
  const { flags, rest } = takesFlags.has(keyword)
    ? takeFlags(match?.[2] ?? '')
    : { flags: new Map<string, string>(), rest: (match?.[2] ?? '').trim() };
  const fail = (message: string) => parseError(source.line, message);
  const allow = (...names: string[]): void => {
    for (const flag of flags.keys()) if (!names.includes(flag)) throw fail(`unknown flag: ${flag}`);
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
      else allow('chown', 'chmod', 'link', 'checksum', 'keep-git-dir');
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
        heredocs: source.heredocs,
      };
    }
    case 'RUN':
      allow('mount', 'network', 'security');
      need();
      return { ...base, kind: 'RUN', command: commandLine(rest), heredocs: source.heredocs };
    case 'CMD':
    case 'ENTRYPOINT':
      return { ...base, kind: keyword, command: commandLine(rest), heredocs: [] };
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
      return { ...base, kind: 'ONBUILD', trigger: rest };
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
      if (type === 'NONE') {
        if (after !== '') throw fail('HEALTHCHECK NONE takes no arguments');
        return { ...base, kind: 'HEALTHCHECK', options: flags, test: ['NONE'] };
      }
      if (type !== 'CMD') throw fail(`Unknown type "${type}" in HEALTHCHECK (try CMD)`);
      if (after === '') throw fail('Missing command after HEALTHCHECK CMD');
      return { ...base, kind: 'HEALTHCHECK', options: flags, test: commandLine(after) };
    }
    default:
      throw fail(`unknown instruction: ${keyword}`);
  }
}

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
