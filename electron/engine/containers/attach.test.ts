import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AttachOptions, Attachment, ContainerSpec } from '../api/index.ts';
import { openTestEngine, settle, type TestEngine } from './testing.ts';

let t: TestEngine;
beforeEach(async () => {
  t = await openTestEngine();
});
afterEach(() => t.engine.close());

const create = (spec: Partial<ContainerSpec> = {}): Promise<unknown> =>
  t.engine.containers.create({ image: 'app', name: 'cc', ...spec });
const attach = (options: Partial<AttachOptions> = {}): Attachment =>
  t.engine.containers.attach('cc', { stdin: false, stdout: true, stderr: true, logs: false, stream: true, ...options });
const text = async ({ output }: Attachment): Promise<string> =>
  (await Array.fromAsync(output))
    .flat()
    .map(({ stream, data }) => `${stream}:${Buffer.from(data).toString()}`)
    .join('');

test('an attachment from before the start loses nothing, even with --rm and a guest that is done at once', async () => {
  await create({ autoRemove: true });
  const attachment = attach();
  t.supervisor.script = (run) => run.say('out').say('err', 'stderr').exit(0);
  await t.engine.containers.start('cc');
  await settle();
  expect(() => t.engine.containers.get('cc')).toThrow('No such container');
  expect(await text(attachment)).toBe('1:out\n2:err\n');
});

test('streams are chosen; a later attachment sees what comes later; logs replays', async () => {
  await create();
  await t.engine.containers.start('cc');
  t.supervisor.last.say('one');
  const [late, errors, replay] = [attach(), attach({ stdout: false }), attach({ logs: true })];
  t.supervisor.last.say('two').say('bad', 'stderr').exit(0);
  await settle();
  expect(await text(late)).toBe('1:two\n2:bad\n');
  expect(await text(errors)).toBe('2:bad\n');
  expect(await text(replay)).toBe('1:one\n1:two\n2:bad\n');
  expect(t.actions()).toBe('create start attach attach attach die(0)');
});

test('closing ends a reader that waits', async () => {
  await create();
  await t.engine.containers.start('cc');
  const attachment = attach();
  const reading = text(attachment);
  await settle();
  attachment.close();
  expect(await reading).toBe('');
});

test('stdin from before the start is delivered at the start, in order, with its end', async () => {
  await create({ openStdin: true, stdinOnce: true });
  const { stdin } = attach({ stdin: true });
  await stdin?.write(Buffer.from('a'));
  await stdin?.write(Buffer.from('b'));
  stdin?.end();
  t.supervisor.hold = true;
  const starting = t.engine.containers.start('cc');
  (await t.supervisor.run(1)).begin();
  await starting;
  t.supervisor.hold = false;
  expect(t.supervisor.last).toMatchObject({ stdin: ['a', 'b'], stdinEnded: true });
  expect(t.supervisor.last.request.spec.stdin).toBe('open');
  await t.engine.containers.restart('cc');
  expect(t.supervisor.last).toMatchObject({ stdin: [], stdinEnded: false });
  await stdin?.write(Buffer.from('cc'));
  expect(t.supervisor.last.stdin).toEqual(['cc']);
});

test('what is kept before the start is bounded: the writer waits, and goes on after start or removal', async () => {
  await create({ openStdin: true });
  const { stdin } = attach({ stdin: true });
  let done = false;
  const write = stdin?.write(Buffer.alloc(1 << 20)).then(() => (done = true));
  await settle();
  expect(done).toBe(false);
  await t.engine.containers.start('cc');
  await write;
  await t.engine.containers.kill('cc');
  const again = stdin?.write(Buffer.alloc(1 << 20));
  await t.engine.containers.remove('cc');
  await again;
});

test('without an open stdin there is nothing to write to', async () => {
  await create();
  expect(attach({ stdin: true }).stdin).toBeUndefined();
  await t.engine.containers.start('cc');
  expect(t.supervisor.last.request.spec.stdin).toBe('closed');
});
