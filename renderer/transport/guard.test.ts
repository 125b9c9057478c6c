import { expect, test } from 'vitest';
import { guard, LinkClosedError } from './guard.ts';

const options = { context: {} };

test('a call under way rejects when the link closes, and a call after that rejects at once', async () => {
  let close = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  let calls = 0;
  const link = guard(
    {
      call: () => {
        calls++;
        return new Promise(() => undefined);
      },
    },
    closed,
  );
  const pending = link.call(['containers', 'start'], {}, options);
  close();
  await expect(pending).rejects.toBeInstanceOf(LinkClosedError);
  await expect(link.call(['containers', 'stop'], {}, options)).rejects.toBeInstanceOf(LinkClosedError);
  expect(calls).toBe(1);
});

test('an answer passes through', async () => {
  const link = guard({ call: (path) => Promise.resolve(path.join('.')) }, new Promise(() => undefined));
  expect(await link.call(['system', 'summary'], undefined, options)).toBe('system.summary');
});
