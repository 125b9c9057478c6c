import { invalid } from '../../../base/errors.ts';
import { splitWords } from './words.ts';

/** A file written in the Dockerfile itself: `<<NAME … NAME`. */
export interface Heredoc {
  readonly name: string;
  /** Unquoted: variables in it are expanded. */
  readonly expand: boolean;
  readonly content: string;
  /** Content and end as written, for a shell that reads the heredoc itself. */
  readonly source: string;
}

/** One instruction with its continuations joined and comments left out. */
export interface LogicalLine {
  /** Of its first line; from 1. */
  readonly line: number;
  /** Trimmed; what `Step 1/2 : …` shows. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
}

export interface DockerfileLines {
  /** The escape character: `\` or a backtick. */
  readonly escape: string;
  readonly lines: readonly LogicalLine[];
}

/** The error that `docker build` shows, with status 400. */
export const parseError = (line: number, message: string, hint?: string) =>
  invalid(`dockerfile parse error line ${line}: ${message}`, { hint, data: { line } });

/** @throws invalid for an empty file, a bad escape directive, a heredoc without an end */
export function readLines(source: string): DockerfileLines {
  const raw = source.replace(/^\uFEFF/, '').split('\n');
  const escape = escapeDirective(raw);
  const quoted = escape === '\\' ? '\\\\' : escape;
  const continuation = new RegExp(`(^|[^${quoted}])${quoted}[ \\t]*$`);
  const lines: LogicalLine[] = [];
  for (let at = 0; at < raw.length;) {
    const first = at;
    let text = (raw[at++] ?? '').trim();
    if (text === '' || text.startsWith('#')) continue;
    let open = continuation.test(text);
    if (open) text = text.replace(continuation, '$1');
    while (open && at < raw.length) {
      const next = (raw[at++] ?? '').replace(/\r$/, '');
      const trimmed = next.trim();
      // A comment or an empty line inside an instruction does not end it.
      if (trimmed === '' || trimmed.startsWith('#')) continue;
      open = continuation.test(next);
      text += open ? next.replace(continuation, '$1') : next;
    }
    text = text.trim();
    if (text === '') continue;
    const heredocs: Heredoc[] = [];
    for (const opening of heredocOpenings(text, escape)) {
      const content: string[] = [];
      const from = at;
      for (;;) {
        if (at >= raw.length) throw parseError(first + 1, `unterminated heredoc: ${opening.name}`);
        const line = (raw[at++] ?? '').replace(/\r$/, '');
        const body = opening.chomp ? line.replace(/^\t+/, '') : line;
        if (body === opening.name) break;
        content.push(`${body}\n`);
      }
      const source = raw.slice(from, at).map((line) => `${line.replace(/\r$/, '')}\n`);
      heredocs.push({
        name: opening.name,
        expand: opening.expand,
        content: content.join(''),
        source: source.join(''),
      });
    }
    lines.push({ line: first + 1, text, heredocs });
  }
  if (lines.length === 0) throw invalid('dockerfile parse error: file with no instructions');
  return { escape, lines };
}

/** `# escape=X`, among the directives at the very top. */
function escapeDirective(raw: readonly string[]): string {
  for (const line of raw) {
    const directive = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line.trim());
    if (!directive) return '\\';
    if (directive[1]?.toLowerCase() !== 'escape') continue;
    const escape = directive[2] ?? '';
    if (escape !== '\\' && escape !== '`')
      throw invalid(`dockerfile parse error: invalid ESCAPE '${escape}'. Must be ' or \\`);
    return escape;
  }
  return '\\';
}

const opening = /^\d*<<(-?)(?:"([^"\s]+)"|'([^'\s]+)'|([A-Za-z0-9_./-]+))$/;

/** Words that open one. Inside quotes they are text. */
function heredocOpenings(text: string, escape: string): { name: string; expand: boolean; chomp: boolean }[] {
  if (!/^(ADD|COPY|RUN|ONBUILD\s+(ADD|COPY|RUN))\s/i.test(text)) return [];
  return splitWords(text, escape).flatMap((word) => {
    const match = opening.exec(word);
    const name = match?.[2] ?? match?.[3] ?? match?.[4];
    return match && name !== undefined ? [{ name, expand: match[4] !== undefined, chomp: match[1] === '-' }] : [];
  });
}

/** The name of the heredoc that a source of COPY or ADD is, or undefined for a path. */
export function heredocName(word: string): string | undefined {
  const match = opening.exec(word);
  return match?.[2] ?? match?.[3] ?? match?.[4];
}
