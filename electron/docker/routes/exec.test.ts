import { expect, test, vi } from 'vitest';
import { conflict, invalid, notFound } from '../../base/errors.ts';
import type { ExecSpec, ExecsApi, ExecView } from '../../engine/api/index.ts';
import { openDoor } from '../testing/client.ts';
import { entry, fakeAttachment, fakeEngine } from '../testing/fake-engine.ts';

const view: ExecView = {
  id: 'e1',
  containerId: 'c1',
  command: ['/t.wasm', 'cat', 'x'],
  workingDir: '/',
  tty: false,
  attachStdin: true,
  attachStdout: true,
  attachStderr: false,
  user: 'me',
  privileged: true,
  detachKeys: 'ctrl-x',
  running: true,
  exitCode: undefined,
  pid: 42,
  startedAt: '',
};

const open = (execs: Partial<ExecsApi>) => openDoor(fakeEngine({ execs }));
const message = (text: string) => ({ message: text });
const upgrade = (path: string, body: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}${more}`;

test('create passes on what is asked for and answers with the id', async () => {
  const create = vi.fn((_container: string, _spec: ExecSpec) => Promise.resolve({ id: 'e1' }));
  await using door = await open({ create });
  const answer = await door.ask('POST', '/v1.50/containers/tk/exec', {
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: null,
    Tty: true,
    Cmd: ['/t.wasm', 'echo'],
    Env: ['A=1'],
    WorkingDir: '/w',
    User: 'me',
    Privileged: true,
    DetachKeys: 'ctrl-x',
    ConsoleSize: [30, 100],
  });
  expect([answer.status, answer.json()]).toEqual([201, { Id: 'e1' }]);
  expect(create).toHaveBeenCalledWith('tk', {
    command: ['/t.wasm', 'echo'],
    env: ['A=1'],
    workingDir: '/w',
    tty: true,
    attachStdin: true,
    attachStdout: true,
    attachStderr: false,
    user: 'me',
    privileged: true,
    detachKeys: 'ctrl-x',
    consoleSize: [30, 100],
  });
  // A string is one word; what is not there is not asked for.
  await door.ask('POST', '/containers/tk/exec', { Cmd: '/t.wasm', ConsoleSize: [0, 0] });
  expect(create.mock.lastCall?.[1]).not.toHaveProperty('consoleSize');
  expect(create.mock.lastCall?.[1]).toMatchObject({ command: ['/t.wasm'], tty: false, attachStdout: false });
});

test.each([
  [{}, 'No exec command specified'],
  [{ Cmd: [] }, 'No exec command specified'],
  [{ Cmd: [1] }, 'Cmd must be a list of strings, got [1]'],
  [{ Cmd: ['x'], ConsoleSize: [1] }, 'ConsoleSize must be [height, width] in characters, got [1]'],
  [{ Cmd: ['x'], ConsoleSize: [-1, 2] }, 'ConsoleSize must be [height, width] in characters, got [-1,2]'],
  [{ Cmd: ['x'], Tty: 'yes' }, 'Tty must be true or false, got "yes"'],
])('create with %j is a bad request', async (body, text) => {
  await using door = await open({});
  const answer = await door.ask('POST', '/containers/tk/exec', body);
  expect([answer.status, answer.json()]).toEqual([400, message(text)]);
});

test('inspect shows what moby shows; the exit code is null until there is one', async () => {
  const get = vi.fn((_id: string): ExecView => view);
  await using door = await open({ get });
  expect((await door.ask('GET', '/v1.50/exec/e1/json')).json()).toEqual({
    ID: 'e1',
    Running: true,
    ExitCode: null,
    ProcessConfig: {
      tty: false,
      entrypoint: '/t.wasm',
      arguments: ['cat', 'x'],
      privileged: true,
      user: 'me',
    },
    OpenStdin: true,
    OpenStdout: true,
    OpenStderr: false,
    CanRemove: false,
    ContainerID: 'c1',
    DetachKeys: 'ctrl-x',
    Pid: 42,
  });
  get.mockReturnValue({ ...view, running: false, exitCode: 0, pid: 0 });
  expect((await door.ask('GET', '/exec/e1/json')).json()).toMatchObject({
    Running: false,
    ExitCode: 0,
    CanRemove: true,
  });
  get.mockImplementation((id) => {
    throw notFound(`No such exec instance: ${id}`);
  });
  const answer = await door.ask('GET', '/exec/nope/json');
  expect([answer.status, answer.json()]).toEqual([404, message('No such exec instance: nope')]);
});

test('start upgrades: output framed, stdin raw, what came with the request first, the end of stdin passed on', async () => {
  const fake = fakeAttachment({ stdin: true });
  const attach = vi.fn((_id: string, _options?: object) => fake.attachment);
  await using door = await open({ attach });
  const client = await door.open(
    upgrade('/v1.50/exec/e1/start', '{"Detach":false,"Tty":false,"ConsoleSize":[3,4]}', 'early'),
  );
  await client.until('\r\n\r\n');
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
  expect(client.received.toString()).toContain('application/vnd.docker.multiplexed-stream');
  expect(attach).toHaveBeenCalledWith('e1', { consoleSize: [3, 4] });
  client.socket.end(' late');
  await vi.waitFor(() => expect(fake.state.stdinEnded).toBe(true));
  expect(fake.stdin().toString()).toBe('early late');
  fake.put(entry(1, 'out\n'), entry(2, 'err\n'));
  fake.end();
  const all = (await client.finished()).toString('latin1');
  expect(all.slice(all.indexOf('\r\n\r\n') + 4)).toBe('\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n');
});

test('with a TTY the stream is raw, and a client that leaves detaches without ending stdin', async () => {
  const fake = fakeAttachment({ stdin: true, tty: true });
  await using door = await open({ attach: () => fake.attachment });
  const client = await door.open(upgrade('/v1.50/exec/e1/start', '{"Tty":true}'));
  await client.until('\r\n\r\n');
  expect(client.received.toString()).toContain('application/vnd.docker.raw-stream');
  fake.put(entry(1, 'hi\n'));
  await client.until('\r\n\r\nhi\n');
  client.socket.destroy();
  // Whether it is gone or has only nothing more to say is known at the next write.
  await vi.waitFor(() => {
    fake.put(entry(1, 'more\n'));
    expect(fake.state.closed).toBe(true);
  });
  expect(fake.state.stdinEnded).toBe(false);
});

test('without an upgrade the answer is a body until the end, and stdin is at its end', async () => {
  const fake = fakeAttachment({ stdin: true });
  await using door = await open({ attach: () => fake.attachment });
  fake.put(entry(1, 'out\n'));
  fake.end();
  const answer = await door.ask('POST', '/exec/e1/start', { Detach: false, Tty: false });
  expect([answer.status, answer.body]).toEqual([200, '\x01\0\0\0\0\0\0\x04out\n']);
  expect(fake.state.stdinEnded).toBe(true);
});

test('detached: an empty 200 once it runs; what cannot run is a 400', async () => {
  const detach = vi.fn((_id: string) => Promise.resolve());
  await using door = await open({ detach });
  const answer = await door.ask('POST', '/exec/e1/start', { Detach: true });
  expect([answer.status, answer.body]).toEqual([200, '']);
  detach.mockRejectedValueOnce(invalid('exec: "x": executable file not found in $PATH', { data: { exitCode: 127 } }));
  expect((await door.ask('POST', '/exec/e1/start', { Detach: true })).status).toBe(400);
});

test('errors come before the upgrade', async () => {
  const attach = (id: string): never => {
    throw id === 'e1' ? conflict('exec command e1 has already run') : notFound(`No such exec instance: ${id}`);
  };
  await using door = await open({ attach });
  const client = await door.open(upgrade('/v1.50/exec/e1/start', '{}'));
  await client.until('has already run');
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 409 /);
  expect((await door.ask('POST', '/exec/e2/start', {})).status).toBe(404);
  expect((await door.ask('POST', '/exec/e1/start', '[]', { 'Content-Type': 'application/json' })).status).toBe(400);
});

test('a body that is larger than any is refused before it is there', async () => {
  await using door = await open({});
  const head = upgrade('/v1.50/exec/e1/start', '{}').replace('Content-Length: 2', `Content-Length: ${1 << 30}`);
  const client = await door.open(head);
  await client.until('larger than');
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 400 /);
});

test('resize passes the size on and needs both numbers', async () => {
  const resize = vi.fn((_id: string, _rows: number, _columns: number) => Promise.resolve());
  await using door = await open({ resize });
  expect((await door.ask('POST', '/exec/e1/resize?h=5&w=70')).status).toBe(200);
  expect(resize).toHaveBeenCalledWith('e1', 5, 70);
  expect((await door.ask('POST', '/exec/e1/resize?h=5')).status).toBe(400);
});
