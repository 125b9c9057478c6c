import { invalid } from '../../base/errors.ts';

/**
 * Go's path.Match as a regular expression for whole strings: `*` and `?` do not match '/', `[a-z]` and `[^a-z]` are classes, `\` escapes.
 * The Docker API's reference filter and COPY both use it. @throws invalid on a malformed pattern
 */
export function globPattern(glob: string): RegExp {
  let out = '';
  const bad = () => invalid(`syntax error in pattern: ${glob}`);
  for (let i = 0; i < glob.length; i++) {
    const char = glob.charAt(i);
    if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '\\') {
      if (++i >= glob.length) throw bad();
      out += quote(glob.charAt(i));
    } else if (char === '[') {
      const end = classEnd(glob, i);
      if (end < 0) throw bad();
      out += classPattern(glob.slice(i + 1, end), bad);
      i = end;
    } else out += quote(char);
  }
  return new RegExp(`^${out}$`, 'su');
}

/** True when the text needs matching at all. */
export const hasWildcards = (text: string): boolean => /[*?[\\]/.test(text);

const quote = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const quoteInClass = (char: string): string => (char === '-' ? '\\-' : quote(char));

/** The index of the `]` that closes the class opened at `start`, or -1. A `]` right at the start is malformed in Go. */
function classEnd(glob: string, start: number): number {
  const first = glob.charAt(start + 1) === '^' ? start + 2 : start + 1;
  for (let i = first; i < glob.length; i++) {
    if (glob.charAt(i) === '\\') i++;
    else if (glob.charAt(i) === ']') return i > first ? i : -1;
  }
  return -1;
}

function classPattern(body: string, bad: () => Error): string {
  const negated = body.startsWith('^');
  const chars = [...(negated ? body.slice(1) : body)];
  let out = '';
  const next = (i: number): [char: string, after: number] => {
    const escaped = chars[i] === '\\';
    const char = chars[escaped ? i + 1 : i];
    if (char === undefined || (!escaped && char === '-')) throw bad();
    return [char, i + (escaped ? 2 : 1)];
  };
  for (let i = 0; i < chars.length;) {
    const [from, afterFrom] = next(i);
    i = afterFrom;
    if (chars[i] !== '-') {
      out += quoteInClass(from);
      continue;
    }
    const [to, afterTo] = next(i + 1);
    i = afterTo;
    // Go accepts an upside-down range and matches nothing with it.
    if (from <= to) out += `${quoteInClass(from)}-${quoteInClass(to)}`;
  }
  if (out === '') return negated ? '[^/]' : '(?!)';
  return negated ? `(?:(?!/)[^${out}])` : `(?:(?!/)[${out}])`;
}
