import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, openContent, type Content } from './content.ts';
import { openTemporary } from './temporary.ts';
import { streamOf } from './testing.ts';

let home: string;
let content: Content;
const referenced = new Set<string>();
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'drydock-content-'));
  referenced.clear();
  content = await openContent(home, await openTemporary(home), (digest) => referenced.has(digest));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const bytes = Buffer.from('x'.repeat(600_000) + 'y');
const blobs = () => readdirSync(join(home, 'content/blobs/sha256'));
const unfinished = () => readdirSync(join(home, 'tmp/images'));

describe('content', () => {
  it('is an OCI image layout', () => {
    expect(readdirSync(join(home, 'content')).sort()).toEqual(['blobs', 'oci-layout']);
  });

  it('takes a blob in and keeps it when something refers to it', async () => {
    const lease = content.lease();
    const blob = await lease.put(streamOf(bytes, 1000));
    expect(blob).toEqual({ digest: digestOf(bytes), size: bytes.length });
    referenced.add(blob.digest);
    await lease.end();
    expect(content.has(blob.digest)).toBe(true);
    const chunks = [];
    for await (const chunk of content.read(blob.digest)) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(unfinished()).toEqual([]);
  });

  it('removes at the end of the lease what nothing refers to, but not while another lease holds it', async () => {
    const [one, two] = [content.lease(), content.lease()];
    const { digest } = await one.put(streamOf(bytes));
    await two.put(streamOf(bytes));
    await one.end();
    expect(content.has(digest)).toBe(true);
    expect(await content.release([digest])).toBe(0);
    await two.end();
    expect(content.has(digest)).toBe(false);
    expect(blobs()).toEqual([]);
    expect(unfinished()).toEqual([]);
  });

  it('lets nothing be seen of a blob whose source breaks, or that is another one', async () => {
    const lease = content.lease();
    const broken = async function* () {
      yield bytes;
      throw new Error('cut off');
    };
    await expect(lease.put(broken())).rejects.toThrow('cut off');
    await expect(lease.put(streamOf(bytes), { digest: digestOf('other') })).rejects.toMatchObject({ kind: 'damaged' });
    expect(blobs()).toEqual([]);
    expect(unfinished()).toEqual([]);
    await lease.end();
  });

  it('survives the same blob arriving and leaving at the same time', async () => {
    for (let round = 0; round < 20; round++) {
      const [one, two] = [content.lease(), content.lease()];
      const { digest } = await one.put(streamOf(bytes, 100_000));
      const [second] = await Promise.all([two.put(streamOf(bytes, 100_000)), one.end()]);
      expect(second.digest).toBe(digest);
      expect(await content.size(digest)).toBe(bytes.length);
      await two.end();
    }
  });

  it('says when a blob is missing or was changed', async () => {
    await expect(content.text(digestOf('nothing'))).rejects.toMatchObject({ kind: 'damaged' });
    const lease = content.lease();
    const { digest } = await lease.putBytes(Buffer.from('{}'));
    writeFileSync(content.path(digest), '{"a":1}');
    await expect(content.text(digest)).rejects.toThrow('does not hold what its name says');
    await lease.end();
  });
});
