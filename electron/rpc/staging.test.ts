import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { until } from '../../test/support/until.ts';
import { conflict } from '../base/errors.ts';
import { Staging, suggestedReference } from './staging.ts';

/** The smallest core module. */
const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

let directory: string;
let engine: FakeEngine;
let staging: Staging;
const files = () => readdirSync(join(directory, 'tmp'));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-staging-'));
  engine = new FakeEngine();
  staging = new Staging(engine.api, join(directory, 'tmp'));
});
afterEach(async () => {
  await staging.close();
  rmSync(directory, { recursive: true });
});

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

test('a module is described, becomes an image, and its file goes', async () => {
  const staged = await staging.add('dir/My Tool.wasm', chunks(empty.subarray(0, 3), empty.subarray(3)));
  expect(staged).toMatchObject({
    fileName: 'My Tool.wasm',
    suggestedReference: 'my-tool:latest',
    module: {
      kind: 'core',
      size: 8,
      digest: 'sha256:93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476',
    },
  });
  expect(files()).toHaveLength(1);
  expect(await staging.import(staged.stageId, 'tool')).toEqual({
    imageId: 'sha256:imported',
    reference: 'tool:latest',
  });
  expect(engine.asked).toEqual(['import My Tool.wasm 8 tool']);
  expect(files()).toEqual([]);
});

test('an import that fails keeps the file for another name', async () => {
  const { stageId } = await staging.add('a.wasm', chunks(empty));
  engine.failures.set('import', conflict('that name is taken'));
  await expect(staging.import(stageId, 'x')).rejects.toThrow('that name is taken');
  engine.failures.clear();
  expect(await staging.import(stageId, 'y')).toMatchObject({ reference: 'y:latest' });
});

test.each([
  ['text', Buffer.from('just text\n'.repeat(10)), /^notes\.txt: not a WebAssembly module \(text\)/],
  ['an ELF program', readFileSync(process.execPath).subarray(0, 4096), /ELF linux/],
  ['nothing', new Uint8Array(), /empty file/],
  ['a header cut short', empty.subarray(0, 6), /truncated/],
  ['a module cut short', Uint8Array.of(...empty, 1, 100, 1), /notes\.txt/],
])('%s is refused by name, and nothing is left', async (_what, bytes, message) => {
  await expect(staging.add('notes.txt', chunks(bytes))).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringMatching(message),
  });
  expect(files()).toEqual([]);
  expect(staging.count).toBe(0);
});

test('what is not WebAssembly is not read to its end', async () => {
  let read = 0;
  async function* endless() {
    for (;;) {
      read++;
      yield Buffer.alloc(1000, 'x');
    }
  }
  await expect(staging.add('x', endless())).rejects.toThrow('not a WebAssembly module');
  expect(read).toBeLessThan(50);
});

test('a file over the limit, and one more than fits, are refused', async () => {
  staging = new Staging(engine.api, join(directory, 'tmp'), { file: 10, total: 20 });
  await expect(staging.add('big.wasm', chunks(empty, empty))).rejects.toThrow('big.wasm is larger than');
  await staging.add('a.wasm', chunks(empty));
  await staging.add('b.wasm', chunks(empty));
  await expect(staging.add('c.wasm', chunks(empty))).rejects.toMatchObject({ kind: 'full' });
  expect(files()).toHaveLength(2);
});

test('an upload that breaks off leaves nothing', async () => {
  async function* broken() {
    yield empty;
    throw new Error('aborted');
  }
  await expect(staging.add('a.wasm', broken())).rejects.toThrow('aborted');
  expect(files()).toEqual([]);
});

test('a file goes when its time is over, when it is discarded, and with the engine', async () => {
  staging = new Staging(engine.api, join(directory, 'tmp'), { keep: 1 });
  const { stageId } = await staging.add('a.wasm', chunks(empty));
  await until('the file is gone', () => files().length === 0);
  await expect(staging.import(stageId, 'x')).rejects.toMatchObject({ kind: 'notFound' });

  staging = new Staging(engine.api, join(directory, 'tmp'));
  const second = await staging.add('b.wasm', chunks(empty));
  await staging.discard(second.stageId);
  await staging.discard(second.stageId);
  expect(files()).toEqual([]);
  await staging.add('c.wasm', chunks(empty));
  await staging.close();
  expect(files()).toEqual([]);
});

test('a path is copied: what was described is what is imported', async () => {
  const path = join(directory, 'x.wasm');
  writeFileSync(path, empty);
  const { stageId } = await staging.addFile(path);
  writeFileSync(path, 'changed');
  await staging.import(stageId, 'x');
  expect(engine.asked).toEqual(['import x.wasm 8 x']);
  await expect(staging.addFile(directory)).rejects.toThrow('is not a file');
  await expect(staging.addFile(join(directory, 'absent.wasm'))).rejects.toThrow('absent.wasm');
});

test.each([
  ['hello.wasm', 'hello:latest'],
  ['Größe (1).WASM', 'gr-e-1:latest'],
  ['..wasm', 'module:latest'],
  ['a..b__c.component.wasm', 'a-b-c.component:latest'],
])('%s would be called %s', (name, reference) => {
  expect(suggestedReference(name)).toBe(reference);
});
