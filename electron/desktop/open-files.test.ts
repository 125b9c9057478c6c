import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { filesOf, OpenFiles, ownArguments } from './open-files.ts';

const exists = (path: string): boolean => path.endsWith('.wasm') && !path.includes('missing');

test('takes .wasm files, relative to the directory of that start', () => {
  const args = ['a.wasm', '--flag', '/b/c.wasm', 'missing.wasm', 'readme.txt', './a.wasm', '', '--x=y.wasm'];
  expect(filesOf(args, '/work', exists)).toEqual(['/work/a.wasm', '/b/c.wasm']);
});

test('takes file URLs as file managers give them, and survives broken ones', () => {
  expect(filesOf(['file:///b/with%20space.wasm', 'file://%zz'], '/work', exists)).toEqual(['/b/with space.wasm']);
});

test('a packaged app has no script among its arguments', () => {
  expect(ownArguments(['/opt/Drydock', 'a.wasm'], true)).toEqual(['a.wasm']);
  expect(ownArguments(['/electron', '.', 'a.wasm'], false)).toEqual(['a.wasm']);
});

test('files wait for the listener and then arrive as they come', () => {
  const app = new EventEmitter();
  const files = new OpenFiles(app as never, exists);
  let prevented = 0;
  app.emit('open-file', { preventDefault: () => prevented++ }, '/early.wasm');
  files.addArguments(['second.wasm'], '/cwd');
  const seen: (readonly string[])[] = [];
  files.listen((paths) => seen.push(paths));
  app.emit('open-file', { preventDefault: () => prevented++ }, '/late.wasm');
  app.emit('open-file', { preventDefault: () => prevented++ }, '/note.txt');
  expect(seen).toEqual([['/early.wasm', '/cwd/second.wasm'], ['/late.wasm']]);
  expect(prevented).toBe(3);
});
