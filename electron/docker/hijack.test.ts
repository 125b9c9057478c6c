import { expect, test, vi } from 'vitest';
import { openDoor } from './testing/client.ts';
import { containerView, entry, fakeAttachment, fakeEngine, getOnly } from './testing/fake-engine.ts';

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const attachLine = (query: string, headers: string): string =>
  `POST /v1.50/containers/tk/attach?${query} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

function engineWith(attachment: ReturnType<typeof fakeAttachment>, config: Parameters<typeof containerView>[1] = {}) {
  const attach = vi.fn(() => attachment.attachment);
  const view = containerView({}, config);
  return { attach, engine: fakeEngine({ containers: { get: getOnly(view), attach } }) };
}

test('attach answers 101, then frames; the client may close its side at once', async () => {
  const fake = fakeAttachment();
  const { engine, attach } = engineWith(fake);
  await using door = await openDoor(engine);
  const client = await door.open(attachLine('stream=1&stdout=1&stderr=1', `${upgrade}Content-Length: 0\r\n`));
  await client.until('\r\n\r\n');
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
  expect(client.received.toString()).toContain('Content-Type: application/vnd.docker.multiplexed-stream\r\n');
  expect(client.received.toString()).toMatch(/Connection: Upgrade\r\nUpgrade: tcp\r\n/);
  client.socket.end();
  fake.put(entry(1, 'out\n'), entry(2, 'err\n'));
  fake.end();
  const body = (await client.finished()).toString('latin1').split('\r\n\r\n')[1];
  expect(body).toBe('\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n');
  expect(attach).toHaveBeenCalledWith(containerView().id, {
    stdin: false,
    stdout: true,
    stderr: true,
    logs: false,
    stream: true,
  });
});

test('the body of the request is not stdin, wherever it arrives', async () => {
  const fake = fakeAttachment({ stdin: true });
  const { engine } = engineWith(fake, { openStdin: true, stdinOnce: true });
  await using door = await openDoor(engine);
  const client = await door.open(
    `${attachLine('stream=1&stdin=1&stdout=1', `${upgrade}Content-Type: application/json\r\nContent-Length: 15\r\n`)}{"stream":`,
  );
  client.socket.write('true}first ');
  await client.until('101 UPGRADED');
  client.socket.end('second');
  await vi.waitFor(() => expect(fake.state.stdinEnded).toBe(true));
  expect(fake.stdin().toString()).toBe('first second');
  fake.end();
  await client.finished();
});

test('without StdinOnce, and with a TTY, the end of the client is not the end of stdin', async () => {
  for (const config of [{ openStdin: true }, { openStdin: true, stdinOnce: true, tty: true }]) {
    const fake = fakeAttachment({ stdin: true, tty: config.tty === true });
    await using door = await openDoor(engineWith(fake, config).engine);
    const client = await door.open(attachLine('stream=1&stdin=1&stdout=1', upgrade));
    await client.until('101 UPGRADED');
    client.socket.end('typed');
    await vi.waitFor(() => expect(fake.stdin().toString()).toBe('typed'));
    fake.put(entry(1, 'still here'));
    await client.until('still here');
    expect(fake.state.stdinEnded).toBe(false);
    fake.end();
    await client.finished();
  }
});

test('a TTY is raw, and so is everything before 1.42 by its content type', async () => {
  const fake = fakeAttachment({ tty: true });
  await using door = await openDoor(engineWith(fake, { tty: true }).engine);
  const client = await door.open(attachLine('stream=1&stdout=1', upgrade));
  fake.put(entry(1, 'OUT\r\n'), entry(1, 'ERR\r\n'));
  fake.end();
  const text = (await client.finished()).toString();
  expect(text).toContain('application/vnd.docker.raw-stream');
  expect(text.split('\r\n\r\n').slice(1).join('\r\n\r\n')).toBe('OUT\r\nERR\r\n');
});

test('without an upgrade the answer is 200 and a body without chunks until the end', async () => {
  const fake = fakeAttachment();
  await using door = await openDoor(engineWith(fake).engine);
  const client = await door.open(attachLine('stream=1&stdout=1', 'Content-Length: 0\r\n'));
  await client.until('\r\n\r\n');
  fake.put(entry(1, 'out\n'));
  fake.end();
  const text = (await client.finished()).toString('latin1');
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text.toLowerCase()).not.toContain('transfer-encoding');
  expect(text.split('\r\n\r\n')[1]).toBe('\x01\0\0\0\0\0\0\x04out\n');
});

test('errors before the hijack are ordinary answers', async () => {
  await using door = await openDoor(engineWith(fakeAttachment()).engine);
  const client = await door.open(`POST /containers/nope/attach HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
  const text = (await client.finished()).toString();
  expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  expect(text).toContain('Api-Version: 1.50');
  expect(text).toContain('{"message":"No such container: nope"}\n');

  const page = await door.open(
    `POST /containers/tk/attach HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\n${upgrade}\r\n`,
  );
  expect((await page.finished()).toString()).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
});

test('an Upgrade header where nothing can be upgraded is ignored', async () => {
  await using door = await openDoor(fakeEngine());
  const client = await door.open('GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  await client.until('OK');
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  client.socket.destroy();
});

test('output waits for a slow client and nothing is lost', async () => {
  const fake = fakeAttachment();
  await using door = await openDoor(engineWith(fake).engine);
  const client = await door.open(attachLine('stream=1&stdout=1', upgrade));
  await client.until('101 UPGRADED');
  client.socket.pause();
  const line = `${'x'.repeat(63)}\n`;
  for (let batch = 0; batch < 200; batch++) fake.put(...Array.from({ length: 500 }, () => entry(1, line)));
  fake.end();
  client.socket.resume();
  const all = await client.finished();
  let at = all.indexOf('\r\n\r\n') + 4;
  let payload = 0;
  while (at < all.length) {
    const length = all.readUInt32BE(at + 4);
    payload += length;
    at += 8 + length;
  }
  expect(payload).toBe(200 * 500 * 64);
});

test('a client that goes away lets go of the attachment', async () => {
  const fake = fakeAttachment({ stdin: true });
  await using door = await openDoor(engineWith(fake, { openStdin: true }).engine);
  const client = await door.open(attachLine('stream=1&stdin=1&stdout=1', upgrade));
  await client.until('101 UPGRADED');
  client.socket.destroy();
  fake.put(entry(1, 'into the void\n'));
  fake.put(entry(1, 'again\n'));
  await vi.waitFor(() => expect(fake.state.closed).toBe(true));
});

test('closing the door ends attached clients', async () => {
  const fake = fakeAttachment();
  const door = await openDoor(engineWith(fake).engine);
  const client = await door.open(attachLine('stream=1&stdout=1', upgrade));
  await client.until('101 UPGRADED');
  await door[Symbol.asyncDispose]();
  await client.finished();
  await vi.waitFor(() => expect(fake.state.closed).toBe(true));
});
