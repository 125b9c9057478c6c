/** One way in that a server offers (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case: "basic", "bearer". */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const space = /[\s,]*/y;
const parameter = /\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;

/** The challenges of a WWW-Authenticate header, or of several joined with commas. What cannot be read is left out. */
export function parseChallenges(header: string | undefined): Challenge[] {
  const text = header ?? '';
  const found: Challenge[] = [];
  let at = 0;
  const take = (expression: RegExp): RegExpExecArray | null => {
    expression.lastIndex = at;
    const match = expression.exec(text);
    if (match) at = expression.lastIndex;
    return match;
  };
  for (;;) {
    take(space);
    const scheme = take(token)?.[0];
    if (scheme === undefined) return found;
    const parameters: Record<string, string> = {};
    for (;;) {
      const before = at;
      take(space);
      const match = take(parameter);
      if (!match) {
        at = before;
        break;
      }
      parameters[(match[1] ?? '').toLowerCase()] = match[3] ?? (match[2] ?? '').replace(/\\(.)/g, '$1');
    }
    found.push({ scheme: scheme.toLowerCase(), parameters });
  }
}
