import { expect, test } from 'vitest';
import { LineEditor } from './line-editor.ts';

test('lines are sent whole, with what was erased left out', () => {
  const editor = new LineEditor();
  expect(editor.type('helo')).toEqual({ echo: 'helo', send: '', end: false });
  expect(editor.type('\x7flo\r')).toEqual({ echo: '\b \blo\r\n', send: 'hello\n', end: false });
});

test('erasing an empty line does nothing, a wide character takes two cells', () => {
  const editor = new LineEditor();
  expect(editor.type('\x7f').echo).toBe('');
  editor.type('容');
  expect(editor.type('\x7f').echo).toBe('\b \b\b \b');
});

test('^D sends what there is, or ends the input', () => {
  const editor = new LineEditor();
  expect(editor.type('abc\x04')).toEqual({ echo: 'abc', send: 'abc', end: false });
  expect(editor.type('\x04')).toEqual({ echo: '', send: '', end: true });
});

test('cursor keys are not text', () => {
  expect(new LineEditor().type('a\x1b[Ab\r').send).toBe('ab\n');
});
