/** How arguments are cut; quotes and escapes stay in the words, `expand.ts` takes them out. */

/** At blanks, no more: COPY, EXPOSE, FROM. */
export const splitBlanks = (text: string): string[] => text.trim().split(/\s+/).filter(Boolean);

/** At blanks outside quotes: ENV, LABEL, ARG (buildkit's parseWords). */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let open = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote === '' && /\s/.test(char)) {
      if (open) words.push(word);
      word = '';
      open = false;
      continue;
    }
    open = true;
    word += char;
    if (char === escape && quote !== "'" && i + 1 < text.length) word += text.charAt(++i);
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  if (open) words.push(word);
  return words;
}

/** A JSON array of strings, or undefined: then the text is taken as it stands. */
export function jsonStrings(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Takes `--name=value` and `--name` off the front. */
export function takeFlags(text: string): { readonly flags: ReadonlyMap<string, string>; readonly rest: string } {
  const flags = new Map<string, string>();
  let rest = text;
  for (;;) {
    const match = /^\s*--([a-zA-Z][a-zA-Z0-9-]*)(?:=(\S*))?(?:\s+|$)/.exec(rest);
    if (!match) return { flags, rest: rest.trim() };
    flags.set(match[1] ?? '', match[2] ?? '');
    rest = rest.slice(match[0].length);
  }
}
