/** The program of a RUN as the supervisor is asked for it; played by hand. Real ones: test/integration/build.test.ts. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../test/support/until.ts';
import type { BuildEvent, BuildOptions } from './api/index.ts';
import { openTestEngine, type TestEngine } from './containers/testing.ts';
import { buildOptions, contextOf, streamOf } from './images/testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.engine.close());

/** Builds `FROM app` with RUN of its program, event by event. */
async function* building(options: Partial<BuildOptions> = {}, signal?: AbortSignal): AsyncGenerator<BuildEvent> {
  const context = streamOf(await contextOf({ Dockerfile: 'FROM app\nRUN ["app", "x"]' }));
  yield* t.engine.images.build({ ...buildOptions, noCache: true, ...options }, context, signal);
}
async function run(options: Partial<BuildOptions> = {}, signal?: AbortSignal): Promise<string> {
  let text = '';
  for await (const event of building(options, signal)) if (event.type === 'stream') text += event.text;
  return text;
}
const members = (network: string) => t.engine.networks.get(network).containers.length;
const left = () => readdirSync(join(t.home, 'tmp')).filter((name) => name.startsWith('run-'));
const route = { ask: 'route', protocol: 'tcp', address: '1.1.1.1', port: 80 } as const;

describe('RUN', () => {
  it('is told as it goes, and is gone from the network and the disk at its end', async () => {
    const built = run();
    const program = await t.supervisor.run(1);
    expect(program.request).toMatchObject({
      spec: { module: '/app.wasm', args: ['app', 'x'], stdin: 'closed', descriptorLimit: 16_384 },
      isolation: 'process',
    });
    expect(program.request.cpus).toBeUndefined();
    expect(program.request.spec.memoryLimit).toBeUndefined();
    expect(members('bridge')).toBe(1);
    expect(left()).toHaveLength(1);
    expect(await program.ask(route)).toMatchObject({ address: '1.1.1.1' });
    program.say('hello').exit(0);
    expect(await built).toContain('RUN ["app", "x"]\nhello\n ---> ');
    expect([members('bridge'), left()]).toEqual([0, []]);
    expect(await program.ask(route)).toEqual({ error: 'unreachable' });
    expect(existsSync(program.request.spec.log.directory)).toBe(false);
  });

  it('has limits', async () => {
    const built = run({ memory: 2 ** 20, nanoCpus: 5e8, openFiles: 9 });
    const program = await t.supervisor.run(1);
    expect(program.request).toMatchObject({ spec: { memoryLimit: 2 ** 20, descriptorLimit: 9 }, cpus: 0.5 });
    program.exit(0);
    await built;
    await expect(run({ memory: 5 })).rejects.toThrow('RUN failed: Minimum memory limit allowed is 64KB');
  });

  it('steps of one build may follow each other in one process, which no container comes into', async () => {
    t.supervisor.script = (program) => program.exit(0);
    const context = streamOf(await contextOf({ Dockerfile: 'FROM app\nRUN ["app", "1"]\nRUN ["app", "2"]' }));
    for await (const _ of t.engine.images.build(buildOptions, context));
    const ids = t.supervisor.runs.map(({ request }) => request.imageId);
    expect(ids).toHaveLength(2);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[0]).toMatch(/^build:/);
  });

  it('is on a network of its own choice, another container’s, the host’s, or none', async () => {
    await t.engine.networks.create({ name: 'lab', internal: true });
    await t.engine.containers.create({ image: 'app', name: 'web' });
    await t.engine.containers.start('web');
    const answers = async (network: string) => {
      const count = t.supervisor.runs.length;
      const built = run({ network });
      const program = await t.supervisor.run(count + 1);
      const answer = await program.ask({ ask: 'listen', protocol: 'tcp', address: '0.0.0.0', port: 80 });
      const counts = [members('bridge'), members('lab')];
      program.exit(0);
      await built;
      return [answer, counts];
    };
    expect(await answers('default')).toEqual([{ port: 80 }, [2, 0]]);
    expect(await answers('lab')).toEqual([{ port: 80 }, [1, 1]]);
    expect(await answers('container:web')).toEqual([{ port: 80 }, [1, 0]]);
    expect(await answers('host')).toEqual([{ port: 80, host: true }, [1, 0]]);
    expect(await answers('none')).toEqual([{ error: 'unreachable' }, [1, 0]]);
    expect(t.supervisor.last.request.spec.net).toBeUndefined();
    await expect(run({ network: 'nope' })).rejects.toThrow('RUN failed: network nope not found');
    await t.engine.containers.create({ image: 'app', name: 'still' });
    await expect(run({ network: 'container:still' })).rejects.toMatchObject({
      kind: 'conflict',
      message: 'RUN failed: cannot join network namespace of a non running container: still',
    });
    await expect(run({ network: 'container:nope' })).rejects.toThrow('No such container: nope');
  });

  it('that traps, or runs out of memory, or whose process is gone, fails with why', async () => {
    const ends: [Parameters<TestEngine['supervisor']['last']['end']>[0], string][] = [
      [{ kind: 'trap', message: 'unreachable', stack: '' }, '134: unreachable'],
      [{ kind: 'trap', message: 'the limit', stack: '', outOfMemory: true }, '137: the limit'],
      [{ kind: 'terminated' }, '137'],
      [{ kind: 'crashed', code: null, signal: 'SIGKILL' }, '137: the runner process ended unexpectedly by SIGKILL'],
    ];
    for (const [outcome, message] of ends) {
      t.supervisor.script = (program) => program.end(outcome);
      await expect(run()).rejects.toThrow(`The command 'app x' returned a non-zero code: ${message}`);
    }
    t.supervisor.script = (program) => program.fail(126, 'not a module');
    t.supervisor.hold = true;
    await expect(run()).rejects.toMatchObject({ message: 'RUN failed: not a module', data: { step: 2 } });
    expect([members('bridge'), left()]).toEqual([0, []]);
  });

  it('ends with the engine, which waits for it', async () => {
    const built = run();
    const program = await t.supervisor.run(1);
    const refused = expect(built).rejects.toMatchObject({ kind: 'cancelled' });
    await t.engine.close();
    await refused;
    expect(program.terminated).toBe(true);
  });

  it('ends at once when the build is cancelled, or nobody listens any more', async () => {
    const abort = new AbortController();
    const built = run({}, abort.signal);
    const first = await t.supervisor.run(1);
    abort.abort();
    await expect(built).rejects.toMatchObject({ kind: 'cancelled' });
    expect([first.terminated, members('bridge'), left()]).toEqual([true, 0, []]);

    t.supervisor.script = (program) => program.say('one');
    for await (const event of building()) if (event.type === 'stream' && event.text === 'one\n') break;
    await until('all to be gone', () => members('bridge') === 0);
    expect([t.supervisor.last.terminated, left()]).toEqual([true, []]);
    expect(readdirSync(join(t.home, 'tmp/images'))).toEqual([]);
  });
});
