import { expect, test } from 'vitest';
import {
  decodeGreeting,
  encodeFrame,
  encodeGreeting,
  FRAME,
  FrameReader,
  GREETING,
  type Frame,
} from './gate-protocol.ts';
import { isPipe } from './gate.ts';

const ends = {
  to: { address: '172.17.0.2', port: 65_535 },
  from: { address: 'fd00::1', port: 1 },
};

test('a greeting', () => {
  for (const protocol of ['tcp', 'udp'] as const) {
    const said = encodeGreeting({ protocol, ...ends });
    expect(said.length).toBe(GREETING);
    expect(decodeGreeting(said)).toEqual({ protocol, ...ends });
  }
  expect(encodeGreeting({ protocol: 'tcp', ...ends }).toString('hex')).toBe(
    '0106ffff000100000000000000000000ffffac110002fd000000000000000000000000000001',
  );
  for (const [at, value] of [
    [0, 2],
    [1, 7],
  ] as const) {
    const said = encodeGreeting({ protocol: 'tcp', ...ends });
    said[at] = value;
    expect(decodeGreeting(said)).toBeUndefined();
  }
});

test('frames, however they are cut', () => {
  const frames = ['', 'one', 'x'.repeat(65_507)].map((text, index) => ({
    ...ends,
    forwarded: index === 1,
    bytes: Buffer.from(text),
  }));
  const stream = Buffer.concat(frames.map(encodeFrame));
  expect(stream.length).toBe(3 * FRAME + 65_510);
  for (const size of [1, 7, FRAME, 40_000, stream.length]) {
    const got: Frame[] = [];
    const reader = new FrameReader((frame) => got.push(frame));
    for (let at = 0; at < Math.min(stream.length, size * 3000); at += size) reader.push(stream.subarray(at, at + size));
    expect(got.slice(0, 2)).toEqual(frames.slice(0, 2));
    if (size * 3000 >= stream.length) expect(got).toEqual(frames);
  }
});

test('a named pipe is known by its name', () => {
  expect(isPipe('\\\\.\\pipe\\drydock-0123-1')).toBe(true);
  expect(isPipe('/tmp/drydock-net-x/1.sock')).toBe(false);
});
