import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BlobWriter } from './blob-thread.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-blob-thread-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function written(handle: FileHandle, bytes: Uint8Array, chunk: number): Promise<string> {
  const writer = new BlobWriter(handle.fd);
  try {
    for (let at = 0; at < bytes.length; at += chunk) await writer.add(bytes.subarray(at, at + chunk));
    return await writer.end();
  } finally {
    await writer.close();
  }
}

test('several at a time, cut anyhow, are what they were', async () => {
  const all = [1, 100, 65_536, 1 << 20, 3_000_001].map(async (chunk, i) => {
    const bytes = randomBytes(12_345_678 + i * (chunk === 1 ? -12_300_000 : 1));
    const path = join(directory, String(i));
    const handle = await open(path, 'w');
    const digest = await written(handle, bytes, chunk).finally(() => handle.close());
    expect(digest).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
  await Promise.all(all);
});

test('what the disk says is thrown; the next one is well', async () => {
  const path = join(directory, 'x');
  await (await open(path, 'w')).close();
  const readOnly = await open(path, 'r');
  await expect(written(readOnly, randomBytes(20 << 20), 1 << 16)).rejects.toMatchObject({ code: 'EBADF' });
  await readOnly.close();
  const handle = await open(path, 'w');
  await written(handle, randomBytes(1000), 10);
  await handle.close();
});

test('one that is given up in the middle leaves its file alone once it is closed', async () => {
  const path = join(directory, 'x');
  const handle = await open(path, 'w');
  const writer = new BlobWriter(handle.fd);
  await writer.add(randomBytes(2_500_000));
  await writer.close();
  await handle.close();
  expect(readFileSync(path)).toHaveLength(2 << 20);
});
