/**
 * A terminal's line discipline, as far as WASI can use one: a guest cannot switch to raw mode, so input is always edited and echoed by line
 * (termios ICANON ECHO ECHOE ECHOK ECHOCTL ICRNL IEXTEN ISIG IUTF8, output OPOST ONLCR). There is no job control: ^Z does nothing.
 */
export interface TtyEffects {
  /** Shown on the terminal. */
  echo(bytes: Buffer): void;
  /** A finished line, with its newline, for the guest. */
  input(bytes: Buffer): void;
  /** ^D on an empty line. */
  eof(): void;
  /** ^C (130) or ^\ (131): the exit code that a process killed by the signal has in a shell. */
  interrupt(exitCode: 130 | 131): void;
}

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const CTRL_R = 0x12;
const CTRL_U = 0x15;
const CTRL_V = 0x16;
const CTRL_W = 0x17;
const CTRL_Z = 0x1a;
const QUIT = 0x1c;
const DELETE = 0x7f;

/** As MAX_CANON of Linux: what does not fit is dropped with a bell. */
const LINE_LIMIT = 4095;
const TAB_WIDTH = 8;

export class LineDiscipline {
  readonly #effects: TtyEffects;
  #line: number[] = [];
  /** Continuation bytes that the code point at the line's end still lacks, to echo it whole. */
  #missing = 0;
  /** After ^V: the next key is a character like any other. */
  #literal = false;

  constructor(effects: TtyEffects) {
    this.#effects = effects;
  }

  feed(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#literal) {
        this.#literal = false;
        this.#missing = 0;
        this.#append(byte);
      } else this.#key(byte === RETURN ? NEWLINE : byte);
    }
  }

  #key(key: number): void {
    if (key >= 0x80) return this.#append(key);
    this.#missing = 0;
    switch (key) {
      case CTRL_C:
      case QUIT:
        this.#show(key === CTRL_C ? '^C\r\n' : '^\\\r\n');
        this.#line = [];
        return this.#effects.interrupt(key === CTRL_C ? 130 : 131);
      case CTRL_D:
        if (this.#line.length === 0) return this.#effects.eof();
        return this.#deliver();
      case NEWLINE:
        this.#show('\r\n');
        this.#line.push(NEWLINE);
        return this.#deliver();
      case BACKSPACE:
      case DELETE:
        return this.#erase(this.#lastPoint());
      case CTRL_U:
        return this.#erase(0);
      case CTRL_W:
        return this.#erase(this.#lastWord());
      case CTRL_V:
        this.#literal = true;
        return this.#show('^\b');
      case CTRL_Z:
        return;
      case CTRL_R:
        this.#show('^R\r\n');
        return this.#show(render(this.#line));
      default:
        return this.#append(key);
    }
  }

  #append(byte: number): void {
    if (this.#line.length >= LINE_LIMIT) return this.#show('\x07');
    const before = this.#line.length;
    this.#line.push(byte);
    if (byte >= 0xc0) this.#missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    else if (byte >= 0x80 && this.#missing > 0) this.#missing--;
    if (this.#missing > 0) return;
    const start = byte >= 0x80 ? this.#lastPoint() : before;
    const shown = render(this.#line);
    this.#show(shown.slice(render(this.#line.slice(0, start)).length));
  }

  #deliver(): void {
    const line = Buffer.from(this.#line);
    this.#line = [];
    this.#effects.input(line);
  }

  /** Takes everything from `from` on off the line and off the screen. */
  #erase(from: number): void {
    if (from >= this.#line.length) return;
    const kept = this.#line.slice(0, from);
    const columns = width(render(this.#line)) - width(render(kept));
    this.#line = kept;
    this.#show('\b \b'.repeat(Math.max(0, columns)));
  }

  /** Where the last code point begins. */
  #lastPoint(): number {
    let at = this.#line.length - 1;
    while (at > 0 && ((this.#line[at] as number) & 0xc0) === 0x80) at--;
    return Math.max(at, 0);
  }

  /** Where the last word begins: blanks before the cursor, then what is not blank. */
  #lastWord(): number {
    let at = this.#line.length;
    const blank = (index: number) => this.#line[index] === 0x20 || this.#line[index] === TAB;
    while (at > 0 && blank(at - 1)) at--;
    while (at > 0 && !blank(at - 1)) at--;
    return at;
  }

  #show(text: string): void {
    if (text !== '') this.#effects.echo(Buffer.from(text));
  }
}

/** A line as it looks: control characters as ^X, tabs as blanks counted from the line's own start. */
function render(line: readonly number[]): string {
  let out = '';
  for (const char of Buffer.from(line).toString('utf8')) {
    const code = char.codePointAt(0) as number;
    if (code === TAB) out += ' '.repeat(TAB_WIDTH - (width(out) % TAB_WIDTH));
    else if (code < 0x20 || code === DELETE) out += `^${String.fromCharCode(code ^ 0x40)}`;
    else out += char;
  }
  return out;
}

/** Columns on the screen: wide for East Asian and emoji, none for combining marks. */
function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (/[\p{M}\p{Cf}]/u.test(char)) continue;
    columns += isWide(code) ? 2 : 1;
  }
  return columns;
}

/** East Asian Wide and Fullwidth (Unicode TR 11): the ranges of scripts, and whatever is shown as an emoji. */
const isWide = (code: number): boolean =>
  code >= 0x1100 &&
  (code <= 0x115f ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xa960 && code <= 0xa97c) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x16fe0 && code <= 0x1b2fb) ||
    (code >= 0x20000 && code <= 0x3fffd) ||
    /\p{Emoji_Presentation}/u.test(String.fromCodePoint(code)));

/** ONLCR: every newline becomes CR NL. Returns the same buffer when there is none. */
export function newlinesToCrlf(bytes: Buffer): Buffer {
  if (!bytes.includes(NEWLINE)) return bytes;
  const out = Buffer.allocUnsafe(bytes.length * 2);
  let length = 0;
  for (const byte of bytes) {
    if (byte === NEWLINE) out[length++] = RETURN;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
