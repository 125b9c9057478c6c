import { expect, test, vi } from 'vitest';
import { Keyboard } from './keyboard.svelte.ts';

const target = (tagName: string, inside = ''): object => ({
  tagName,
  closest: (selector: string) => (inside !== '' && selector.includes(inside) ? {} : null),
});
const press = (keyboard: Keyboard, key: string, more: object = {}): boolean => {
  const preventDefault = vi.fn();
  const modifiers = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  keyboard.handle({ key, ...modifiers, target: target('DIV'), preventDefault, ...more } as unknown as KeyboardEvent);
  return preventDefault.mock.calls.length > 0;
};

test('the newest layer is asked first, and may pass a key on', () => {
  const keyboard = new Keyboard();
  const done: string[] = [];
  keyboard.add({ Escape: () => void done.push('list') });
  const remove = keyboard.add({ Escape: () => (done.length > 0 ? false : void done.push('search')) });
  expect([press(keyboard, 'Escape'), press(keyboard, 'Escape')]).toEqual([true, true]);
  expect(done).toEqual(['search', 'list']);
  remove();
  press(keyboard, 'Escape');
  expect(done).toEqual(['search', 'list', 'list']);
  expect(press(keyboard, 'q')).toBe(false);
});

test('under a sheet nothing happens', () => {
  const keyboard = new Keyboard();
  const remove = vi.fn();
  keyboard.add({ Backspace: remove });
  const close = keyboard.add({}, { modal: true });
  expect(press(keyboard, 'Backspace')).toBe(false);
  close();
  expect(press(keyboard, 'Backspace')).toBe(true);
  expect(remove).toHaveBeenCalledOnce();
});

test('letters are letters while typing, shortcuts are not; buttons keep Enter; terminals keep all', () => {
  const keyboard = new Keyboard();
  keyboard.add({ x: () => undefined, 'mod+k': () => undefined, Enter: () => undefined });
  const mod = keyboard.mac ? { metaKey: true } : { ctrlKey: true };
  expect(press(keyboard, 'x', { target: target('INPUT') })).toBe(false);
  expect(press(keyboard, 'k', { target: target('INPUT'), ...mod })).toBe(true);
  expect(press(keyboard, 'Enter', { target: target('BUTTON', 'button') })).toBe(false);
  expect(press(keyboard, 'Enter')).toBe(true);
  expect(press(keyboard, 'k', { target: target('TEXTAREA', '.xterm'), ...mod })).toBe(false);
});
