import { beforeEach, expect, test } from 'vitest';
import { HostResolver } from './host-resolver.ts';

type Done = (error: NodeJS.ErrnoException | null, addresses: readonly string[]) => void;
let asked: { readonly question: string; readonly done: Done }[];
let time: number;
let resolver: HostResolver;
beforeEach(() => {
  asked = [];
  time = 0;
  resolver = new HostResolver(
    (name, family, done) => void asked.push({ question: `${name} ${family}`, done }),
    () => time,
  );
});
const fails = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

test('one question is asked once, and its answer kept for a moment', async () => {
  const [first, second] = [resolver.lookup('a.example', 4), resolver.lookup('a.example', 4)];
  expect(asked.map(({ question }) => question)).toEqual(['a.example 4']);
  asked[0]?.done(null, ['1.2.3.4']);
  expect(await first).toEqual({ addresses: ['1.2.3.4'] });
  expect(await second).toEqual({ addresses: ['1.2.3.4'] });
  time = 4999;
  expect(await resolver.lookup('a.example', 4)).toEqual({ addresses: ['1.2.3.4'] });
  expect(asked).toHaveLength(1);
  time = 5001;
  void resolver.lookup('a.example', 4);
  expect(asked).toHaveLength(2);
});

test('no such name, no address of this kind, no answer', async () => {
  const answers = ['ENOTFOUND', 'ENODATA', 'EAI_AGAIN'].map(async (code, at) => {
    const answer = resolver.lookup(`${at}.example`, 0, code);
    asked.at(-1)?.done(fails(code), []);
    return answer;
  });
  expect(await Promise.all(answers)).toEqual([{ error: 'noName' }, { addresses: [] }, { error: 'tryAgain' }]);
  void resolver.lookup('2.example', 0);
  expect(asked).toHaveLength(4); // no answer is not kept
});

test('two at a time, the rest wait; too many are sent away', async () => {
  const answers = Array.from({ length: 258 }, (_, n) => resolver.lookup(`${n}.example`, 4, `${n}`));
  expect(asked).toHaveLength(2);
  expect(await resolver.lookup('one-too-many.example', 4)).toEqual({ error: 'tryAgain' });
  for (let n = 0; n < 258; n++) asked[n]?.done(null, [`10.0.0.${n % 256}`]);
  expect(await answers[257]).toEqual({ addresses: ['10.0.0.1'] });
});

test('who asks for names that nobody answers does not keep others from theirs', async () => {
  resolver = new HostResolver(
    (name, family, done) => void asked.push({ question: `${name} ${family}`, done }),
    () => time,
    20,
  );
  const silent = Array.from({ length: 16 }, (_, n) => resolver.lookup(`${n}.silent`, 4, 'evil'));
  const other = resolver.lookup('a.example', 4, 'good');
  expect(asked.map(({ question }) => question)).toEqual(['0.silent 4', 'a.example 4']);
  asked[1]?.done(null, ['1.2.3.4']);
  expect(await other).toEqual({ addresses: ['1.2.3.4'] });
  expect(await Promise.all(silent)).toEqual(Array(16).fill({ error: 'tryAgain' }));
  // What nobody waits for any more is not asked, and takes no place.
  asked[0]?.done(fails('EAI_AGAIN'), []);
  expect(asked).toHaveLength(2);
  for (let n = 0; n < 300; n++) void resolver.lookup(`${n}.silent`, 4, 'evil');
  expect(asked).toHaveLength(3);
});

test('close answers who waits', async () => {
  const answers = [1, 2, 3].map((n) => resolver.lookup(`${n}.example`, 4, `${n}`));
  resolver.close();
  expect(await Promise.all(answers)).toEqual(Array(3).fill({ error: 'tryAgain' }));
  expect(await resolver.lookup('4.example', 4)).toEqual({ error: 'tryAgain' });
  expect(asked).toHaveLength(2);
});

test('the real one knows the host itself', async () => {
  const real = new HostResolver();
  expect(await real.lookup('localhost', 4)).toEqual({ addresses: ['127.0.0.1'] });
  real.close();
});
