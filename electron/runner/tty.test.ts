import { beforeEach, expect, test } from 'vitest';
import { LineDiscipline, newlinesToCrlf } from './tty.ts';

let shown: string;
let lines: string[];
let signals: number[];
let ended: boolean;
let tty: LineDiscipline;
const type = (text: string) => tty.feed(Buffer.from(text));

beforeEach(() => {
  [shown, lines, signals, ended] = ['', [], [], false];
  tty = new LineDiscipline({
    echo: (bytes) => (shown += bytes.toString()),
    input: (bytes) => lines.push(bytes.toString()),
    eof: () => (ended = true),
    interrupt: (code) => signals.push(code),
  });
});

test('a line goes to the guest when it is finished, and is echoed as it is typed', () => {
  type('ech');
  expect([shown, lines]).toEqual(['ech', []]);
  type('o\r');
  expect([shown, lines]).toEqual(['echo\r\n', ['echo\n']]);
});

test('pasted lines', () => {
  type('one\ntwo\rthree');
  expect(lines).toEqual(['one\n', 'two\n']);
});

test.each([
  ['backspace', 'abc\x7f\x7fd\r', 'ad\n', 'abc\b \b\b \bd\r\n'],
  ['backspace at the start', '\x7f\x08a\r', 'a\n', 'a\r\n'],
  ['^U', 'abc\x15d\r', 'd\n', 'abc\b \b\b \b\b \bd\r\n'],
  ['^W', 'one two  \x17x\r', 'one x\n', `one two  ${'\b \b'.repeat(5)}x\r\n`],
  ['a two-byte letter', 'é\x7fe\r', 'e\n', 'é\b \be\r\n'],
  ['a wide letter', '漢字\x7f\r', '漢\n', '漢字\b \b\b \b\r\n'],
  ['a control character', '\x01\x7fb\r', 'b\n', '^A\b \b\b \bb\r\n'],
  ['an emoji', '🚀⏰\x7f\r', '🚀\n', '🚀⏰\b \b\b \b\r\n'],
  ['a letter with an accent of its own', 'e\u0301\x7f\x7f\r', '\n', 'e\u0301\b \b\r\n'],
  ['a quoted control character', '\x16\x03\x7fb\r', 'b\n', '^\b^C\b \b\b \bb\r\n'],
  ['a quoted return', 'a\x16\rb\r', 'a\rb\n', 'a^\b^Mb\r\n'],
  ['a quoted rubout', '\x16\x7f\r', '\x7f\n', '^\b^?\r\n'],
  ['^W in other alphabets', 'größe 漢字\x17\r', 'größe \n', `größe 漢字${'\b \b'.repeat(4)}\r\n`],
  ['^Z', 'a\x1ab\r', 'ab\n', 'ab\r\n'],
  ['an arrow key', '\x1b[A\r', '\x1b[A\n', '^[[A\r\n'],
  ['a tab', 'ab\t\x7fc\r', 'abc\n', `ab${' '.repeat(6)}${'\b \b'.repeat(6)}c\r\n`],
])('%s', (_name, typed, line, echo) => {
  type(typed);
  expect(lines).toEqual([line]);
  expect(shown).toBe(echo);
});

test('a letter that arrives byte by byte is echoed whole', () => {
  for (const byte of Buffer.from('漢')) tty.feed(Uint8Array.from([byte]));
  expect(shown).toBe('漢');
});

test('^C and ^\\ drop the line and interrupt', () => {
  type('abc\x03\x1cnext\r');
  expect(signals).toEqual([130, 131]);
  expect(lines).toEqual(['next\n']);
  expect(shown).toBe('abc^C\r\n^\\\r\nnext\r\n');
});

test('^D ends an empty line, and sends one that is not', () => {
  type('ab\x04');
  expect([lines, ended]).toEqual([['ab'], false]);
  type('\x04');
  expect(ended).toBe(true);
});

test('^R shows the line again', () => {
  type('ab\x12c\r');
  expect(shown).toBe('ab^R\r\nabc\r\n');
});

test('a line has an end: what is too much rings the bell', () => {
  type('x'.repeat(4100));
  type('\r');
  expect(lines[0]).toHaveLength(4096);
  expect(shown.endsWith('\x07\x07\x07\x07\x07\r\n')).toBe(true);
});

test('newlines on output', () => {
  const plain = Buffer.from('no newline');
  expect(newlinesToCrlf(plain)).toBe(plain);
  expect(newlinesToCrlf(Buffer.from('a\nb\r\n\n')).toString()).toBe('a\r\nb\r\r\n\r\n');
});
