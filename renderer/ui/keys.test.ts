import { expect, test } from 'vitest';
import { ariaOf, capsOf, chordOf, isTyping, type KeyPress } from './keys.ts';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

test('mod is the platform’s own', () => {
  expect(chordOf(press('k', { metaKey: true }), true)).toBe('mod+k');
  expect(chordOf(press('k', { ctrlKey: true }), false)).toBe('mod+k');
  expect(chordOf(press('k', { ctrlKey: true }), true)).toBe('ctrl+k');
});

test('letters with shift say so, symbols do not', () => {
  expect(chordOf(press('L', { shiftKey: true }), true)).toBe('shift+l');
  expect(chordOf(press('?', { shiftKey: true }), true)).toBe('?');
  expect(chordOf(press('ArrowDown', { shiftKey: true }), false)).toBe('shift+ArrowDown');
  expect(chordOf(press(' '), false)).toBe('Space');
});

test('alt finds the letter under a symbol that a Mac puts there', () => {
  expect(chordOf(press('†', { altKey: true, code: 'KeyT' }), true)).toBe('alt+t');
});

test('caps and aria', () => {
  expect(capsOf('mod+k', true)).toEqual(['⌘', 'K']);
  expect(capsOf('mod+k', false)).toEqual(['Ctrl', 'K']);
  expect(ariaOf('mod+shift+l', false)).toBe('Control+Shift+L');
});

test('typing is a text field, not a check box', () => {
  expect(isTyping({ tagName: 'INPUT', type: 'text' })).toBe(true);
  expect(isTyping({ tagName: 'INPUT', type: 'checkbox' })).toBe(false);
  expect(isTyping({ tagName: 'DIV' })).toBe(false);
  expect(isTyping(null)).toBe(false);
});
