import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Room } from './room.ts';
import { streamOf } from './testing.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'drydock-room-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** More than any disk has. */
const keeps = 2 ** 60;

test('what would leave too little of the disk is refused before it is written', async () => {
  const room = new Room(directory, { keeps, looks: 1000 });
  await room.take(999);
  await expect(room.take(1)).rejects.toMatchObject({ kind: 'full', hint: expect.stringContaining('prune') });
  const watched = new Room(directory, { keeps, looks: 5000 }).watch(streamOf(Buffer.alloc(10_000), 700));
  let passed = 0;
  await expect(
    (async () => {
      for await (const chunk of watched) passed += chunk.length;
    })(),
  ).rejects.toMatchObject({ kind: 'full' });
  expect(passed).toBe(4900);
});

test('a disk with room takes everything', async () => {
  const room = new Room(directory, { keeps: 1, looks: 1 });
  for (let i = 0; i < 10; i++) await room.take(1);
});
