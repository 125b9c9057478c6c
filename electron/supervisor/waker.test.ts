import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { Waker } from './waker.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function sleeper(): number {
  const child = spawn('sleep', ['100'], { stdio: 'ignore' });
  children.push(child);
  if (child.pid === undefined) throw new Error('sleep(1) did not start');
  return child.pid;
}

/** 'T' = stopped, 'S' = sleeps. */
const stateOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] ?? '';

test.skipIf(process.platform !== 'linux')('processes that stand go on when the engine has been killed', async () => {
  const [first, second] = [sleeper(), sleeper()];
  const engine = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { Waker } from ${JSON.stringify(new URL('waker.ts', import.meta.url).href)};
       const waker = new Waker();
       for (const pid of [${first}, ${second}]) { waker.watch(pid); process.kill(pid, 'SIGSTOP'); }
       waker.unwatch(${second});
       console.log(waker.pid);
       setInterval(() => {}, 1000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  children.push(engine);
  const shell = await new Promise<number>((resolve) => engine.stdout.once('data', (text) => resolve(Number(text))));
  await until('both to stand', () => stateOf(first) === 'T' && stateOf(second) === 'T');
  engine.kill('SIGKILL');
  await until('the first to go on', () => stateOf(first) === 'S');
  // It was said to stand no more, so it is somebody else's.
  expect(stateOf(second)).toBe('T');
  await until('the shell to end', () => {
    try {
      return stateOf(shell) === '';
    } catch {
      return true;
    }
  });
});

test('nothing runs while nothing may stand, and nothing stays', () => {
  const waker = new Waker();
  waker.unwatch(4242);
  expect(waker.pid).toBeUndefined();
  waker.close();
  waker.watch(process.pid);
  expect(waker.pid).toBeUndefined();
});
