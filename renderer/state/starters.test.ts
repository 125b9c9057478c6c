import { expect, test } from 'vitest';
import type { StarterMessage, StarterRow } from '../../electron/contract/starters.ts';
import { Operations } from './operations.svelte.ts';
import { stepOf } from './starter-step.ts';
import { Starters, subjectOf, type StartersLink } from './starters.svelte.ts';

const row: StarterRow = {
  name: 'lua',
  title: 'Lua',
  tag: 'drydock/lua:5.3',
  about: { en: 'Lua.' },
  try: 'docker run',
  license: 'MIT',
  download: 100,
  needs: ['clang'],
  image: '',
};

function open(build: (signal: AbortSignal) => AsyncIterable<StarterMessage>) {
  const operations = new Operations();
  let lists = 0;
  const link: StartersLink = {
    list: () => Promise.resolve([{ ...row, image: lists++ > 0 ? 'sha256:1' : '' }]),
    build: (_name, signal) => Promise.resolve(build(signal)),
  };
  return { operations, starters: new Starters(link, operations) };
}

test('steps are read from what the build says', () => {
  expect(stepOf('Step 4/9 : RUN ["clang"]')).toBe('4/9');
  expect(stepOf(' ---> Using cache\n')).toBeUndefined();
});

test('a build shows what it does, then the image is there', async () => {
  const seen: unknown[] = [];
  const { starters } = open(async function* () {
    const look = (): void => void seen.push(starters.work('lua'));
    yield { type: 'starter', name: 'clang' };
    yield { type: 'download', package: 'p@1', received: 5, total: 10 };
    look();
    yield { type: 'text', text: 'Step 1/4 : FROM scratch' };
    look();
    yield { type: 'starter', name: 'lua' };
    look();
    yield { type: 'done', image: 'sha256:1' };
  });
  await starters.load();
  expect(starters.rows[0]?.image).toBe('');
  await starters.build('lua', 'Building Lua');
  expect(seen).toEqual([
    { name: 'clang', download: { received: 5, total: 10 }, step: '' },
    { name: 'clang', download: undefined, step: '1/4' },
    { name: 'lua', download: undefined, step: '' },
  ]);
  expect(starters.work('lua')).toBeUndefined();
  expect(starters.rows[0]?.image).toBe('sha256:1');
});

test('cancelled is no failure; a failure stays with it', async () => {
  const cancelled = open((signal) =>
    (async function* () {
      yield { type: 'starter', name: 'lua' } as const;
      await new Promise((_, reject) => {
        if (signal.aborted) reject(new Error('aborted'));
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    })(),
  );
  await cancelled.starters.load();
  const building = cancelled.starters.build('lua', 't');
  expect(cancelled.starters.unsettled).toEqual(['lua']);
  cancelled.starters.cancel('lua');
  await building;
  expect(cancelled.operations.problem(subjectOf('lua'))).toBeUndefined();
  expect(cancelled.starters.unsettled).toEqual([]);

  const failing = open(() =>
    (async function* (): AsyncGenerator<StarterMessage> {
      throw new Error('no network');
    })(),
  );
  await failing.starters.build('lua', 't');
  expect(failing.operations.problem(subjectOf('lua'))?.message).toContain('no network');
  expect(failing.starters.unsettled).toEqual(['lua']);
  failing.operations.clear(subjectOf('lua'));
  expect(failing.starters.unsettled).toEqual([]);
});
