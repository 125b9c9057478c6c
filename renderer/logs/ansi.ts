/** Terminal colours in log lines: SGR sequences become spans with classes, every other escape sequence is left out. */

export interface Piece {
  readonly text: string;
  /** Classes of logs.css: "a-red a-bold"; '' = plain. */
  readonly style: string;
}

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

// CSI … final byte, OSC … BEL or ST, and two-byte escapes (ECMA-48 §5.3–5.6).
const sequence = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])/g;

/** What a terminal would show of a line that was rewritten with carriage returns: its last version. */
export function lastVersion(text: string): string {
  if (!text.includes('\r')) return text;
  const parts = text.split('\r').filter((part) => part !== '');
  return parts[parts.length - 1] ?? '';
}

/** The text without escape sequences; what search and copy see. */
export function plain(text: string): string {
  const line = lastVersion(text);
  return line.includes('\x1b') ? line.replace(sequence, '') : line;
}

interface Pen {
  color: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}

const freshPen = (): Pen => ({ color: '', bold: false, dim: false, italic: false, underline: false });

/** The nearest of the sixteen for the 256-colour palette: its colours must keep their contrast in both themes. */
function nearest(red: number, green: number, blue: number): string {
  const high = Math.max(red, green, blue);
  if (high - Math.min(red, green, blue) < 40) return high < 110 ? 'dim' : '';
  const bit = (value: number): number => (value > high * 0.62 ? 1 : 0);
  return names[bit(red) | (bit(green) << 1) | (bit(blue) << 2)] ?? '';
}

function indexed(index: number): string {
  if (index < 8) return names[index] ?? '';
  if (index < 16) return index === 8 ? 'dim' : (names[index - 8] ?? '');
  if (index >= 232) return index < 244 ? 'dim' : '';
  const cube = index - 16;
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function apply(pen: Pen, parameters: string): void {
  const codes = parameters.split(/[;:]/).map((part) => (part === '' ? 0 : Number(part)));
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) Object.assign(pen, freshPen());
    else if (code === 1) pen.bold = true;
    else if (code === 2) pen.dim = true;
    else if (code === 3) pen.italic = true;
    else if (code === 4) pen.underline = true;
    else if (code === 22) pen.bold = pen.dim = false;
    else if (code === 23) pen.italic = false;
    else if (code === 24) pen.underline = false;
    else if (code >= 30 && code <= 37) pen.color = names[code - 30] ?? '';
    else if (code === 39) pen.color = '';
    else if (code === 90) pen.color = 'dim';
    else if (code >= 91 && code <= 97) pen.color = names[code - 90] ?? '';
    else if (code === 38 || code === 48) {
      const wide = codes[i + 1] === 2;
      if (code === 38)
        pen.color = wide
          ? nearest(codes[i + 2] ?? 0, codes[i + 3] ?? 0, codes[i + 4] ?? 0)
          : indexed(codes[i + 2] ?? 0);
      i += wide ? 4 : 2;
    }
  }
}

function styleOf(pen: Pen): string {
  const classes: string[] = [];
  if (pen.color !== '' && pen.color !== 'white') classes.push(`a-${pen.color}`);
  if (pen.dim && pen.color === '') classes.push('a-dim');
  if (pen.bold) classes.push('a-bold');
  if (pen.italic) classes.push('a-italic');
  if (pen.underline) classes.push('a-underline');
  return classes.join(' ');
}

/** A line in pieces of one style each. */
export function pieces(text: string): Piece[] {
  const line = lastVersion(text);
  if (!line.includes('\x1b')) return [{ text: line, style: '' }];
  const pen = freshPen();
  const out: Piece[] = [];
  let at = 0;
  const push = (end: number): void => {
    if (end > at) out.push({ text: line.slice(at, end), style: styleOf(pen) });
  };
  for (const match of line.matchAll(sequence)) {
    push(match.index);
    if (match[2] === 'm') apply(pen, match[1] ?? '');
    at = match.index + match[0].length;
  }
  push(line.length);
  return out;
}

export interface Run extends Piece {
  /** Index of the hit that this text belongs to, −1 = none. */
  readonly hit: number;
}

/** Cuts the pieces at the borders of hits (ranges in the plain text, sorted, not overlapping), so that each can be marked. */
export function markHits(parts: readonly Piece[], ranges: readonly (readonly [start: number, end: number])[]): Run[] {
  if (ranges.length === 0) return parts.map((part) => ({ ...part, hit: -1 }));
  const out: Run[] = [];
  let position = 0;
  let next = 0;
  for (const part of parts) {
    let from = 0;
    while (from < part.text.length) {
      const range = ranges[next];
      const at = position + from;
      if (!range || range[0] >= position + part.text.length) {
        out.push({ ...part, text: part.text.slice(from), hit: -1 });
        break;
      }
      if (range[0] > at) {
        out.push({ ...part, text: part.text.slice(from, range[0] - position), hit: -1 });
        from = range[0] - position;
        continue;
      }
      const end = Math.min(range[1] - position, part.text.length);
      out.push({ ...part, text: part.text.slice(from, end), hit: next });
      from = end;
      if (range[1] <= position + end) next++;
    }
    position += part.text.length;
  }
  return out;
}
