/** Threads of a guest: from the call of thread-spawn until the thread runs, measured by the guest itself, and a host call's way to the host and back. */
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { times, type Row } from './table.ts';

const rounds = 20;

/** What the guest says, in µs, as ms. The first container of an image is a cold process; the others are what a thread costs. */
async function born(engine: TestEngine, args: readonly string[]): Promise<number[]> {
  const samples: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const { code, stdout } = await engine.docker(['run', '--rm', 'threads', 'born', ...args]);
    if (code !== 0) throw new Error(`threads born ${args.join(' ')} exited with ${code}`);
    if (round >= 0) samples.push(...[...stdout.matchAll(/^born (\d+)$/gm)].map((match) => Number(match[1]) / 1000));
  }
  return samples;
}

export default async function bench(): Promise<Row[]> {
  const engine = await startEngine();
  const context = buildContext({
    'threads.wasm': { from: fixture('threads') },
    Dockerfile: 'FROM scratch\nCOPY threads.wasm /threads.wasm\nENTRYPOINT ["/threads.wasm"]\n',
  });
  try {
    await engine.docker(['build', '-q', '-t', 'threads', context]);
    const first = await born(engine, ['1']);
    const turns = await born(engine, ['20']);
    const together = await born(engine, ['8', '1']);
    const calls: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { stdout } = await engine.docker(['run', '--rm', 'threads', 'calls', '1000']);
      calls.push(Number(/^calls (\d+)$/m.exec(stdout)?.[1]) / 1e6);
    }
    return [
      times('the first thread of a guest', first, { goal: '≤20' }),
      times('20 threads, each after the last has ended', turns, { goal: '≤20' }),
      times('8 threads that stay, one after another', together, { goal: '≤20' }),
      times('a host call', calls),
    ];
  } finally {
    await engine.stop();
    removeDirectory(context);
  }
}
