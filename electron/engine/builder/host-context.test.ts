import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTar } from '../images/read-tar.ts';
import { directoryContext } from './host-context.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-host-context-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (files: Readonly<Record<string, string>>): void => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
};

async function packed(dockerfile = 'Dockerfile'): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for await (const { header, body } of readTar(directoryContext(directory, { dockerfile }), 'context')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    out[header.name] = header.type === 'symlink' ? `-> ${header.linkname}` : Buffer.concat(chunks).toString();
  }
  return out;
}

describe('a directory as a build context', () => {
  it('is packed with modes and links, without sockets and pipes', async () => {
    write({ Dockerfile: 'FROM scratch', 'a/b/c': 'x', 'empty file': '' });
    mkdirSync(join(directory, 'empty'));
    chmodSync(join(directory, 'a/b/c'), 0o751);
    symlinkSync('../../outside', join(directory, 'a/link'));
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    expect(await packed()).toEqual({
      Dockerfile: 'FROM scratch',
      'a/': '',
      'a/b/': '',
      'a/b/c': 'x',
      'a/link': '-> ../../outside',
      'empty/': '',
      'empty file': '',
    });
    for await (const { header } of readTar(directoryContext(directory, { dockerfile: '' }), 'context'))
      if (header.name === 'a/b/c') expect(header.mode).toBe(0o751);
  });

  it('leaves out what .dockerignore names, but neither that nor the Dockerfile', async () => {
    write({
      '.dockerignore': '*\n!src/**/*.c\n!keep\nsrc/gone\n',
      'sub/D': 'FROM scratch',
      Dockerfile: 'x',
      'src/a/b.c': 'c',
      'src/a/b.h': 'h',
      'src/gone/x.c': 'left out after all',
      'keep/x': 'x',
      'node_modules/y': 'y',
    });
    expect(Object.keys(await packed('./sub/D'))).toEqual(['.dockerignore', 'keep/', 'keep/x', 'src/a/b.c', 'sub/D']);
  });

  it('takes back in what a pattern names below a directory that is left out', async () => {
    write({ '.dockerignore': 'a\nb\n!**/kept\n', Dockerfile: 'x', 'a/deep/kept': 'k', 'a/gone': 'x', 'b/gone': 'x' });
    expect(Object.keys(await packed())).toEqual(['.dockerignore', 'Dockerfile', 'a/deep/kept']);
  });

  it('a Dockerfile in a directory that is left out comes alone', async () => {
    write({ '.dockerignore': 'docker', 'docker/D': 'x', 'docker/other': 'x', f: 'x' });
    expect(Object.keys(await packed('docker/D'))).toEqual(['.dockerignore', 'docker/D', 'f']);
  });

  it('says which file cannot be read; root reads all', async () => {
    write({ Dockerfile: 'x', f: 'x' });
    chmodSync(join(directory, 'f'), 0);
    if (process.getuid?.() === 0) expect(Object.keys(await packed())).toEqual(['Dockerfile', 'f']);
    else await expect(packed()).rejects.toMatchObject({ kind: 'denied', data: { path: join(directory, 'f') } });
  });

  it('says what is no directory, or not there', async () => {
    write({ f: 'x' });
    const read = async (path: string) => {
      for await (const _ of directoryContext(path, { dockerfile: '' }));
    };
    await expect(read(join(directory, 'f'))).rejects.toMatchObject({ kind: 'invalid' });
    await expect(read(join(directory, 'nope'))).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('ends with an error when a file becomes shorter on the way, and takes no more than there was', async () => {
    write({ Dockerfile: 'x' });
    const path = join(directory, 'f');
    writeFileSync(path, Buffer.alloc(8 << 20, 'x'));
    const read = async (change: () => void) => {
      let size = 0;
      for await (const chunk of directoryContext(directory, { dockerfile: 'Dockerfile' })) {
        if (size < 1 << 20 && size + chunk.length >= 1 << 20) change();
        size += chunk.length;
      }
      return size;
    };
    const before = await read(() => undefined);
    expect(await read(() => writeFileSync(path, 'more', { flag: 'a' }))).toBe(before);
    await expect(read(() => truncateSync(path, 1))).rejects.toMatchObject({
      kind: 'conflict',
      message: `${path} became shorter while it was read for the build`,
    });
  });
});
