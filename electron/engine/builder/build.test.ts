import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  buildOptions,
  collect,
  contextOf,
  openTestImages,
  streamOf,
  tarOf,
  type TarItem,
  type TestImages,
} from '../images/testing.ts';
import type { ProgramRequest, ProgramRunner } from './run.ts';

let test: TestImages;
beforeEach(async () => {
  test = await openTestImages();
});
afterEach(() => test.close());

const rootOf = (ref: string) => test.images.snapshot(test.images.get(ref).id);
const buildTar = async (tar: Uint8Array, options: Partial<typeof buildOptions> = {}, signal?: AbortSignal) =>
  collect(test.images.build({ ...buildOptions, tags: ['t'], ...options }, streamOf(tar), signal));
const build = async (dockerfile: string, files: Readonly<Record<string, string>> = {}, options = {}) =>
  test.build({ Dockerfile: dockerfile, ...files }, { tags: ['t'], ...options });
const leftovers = () => readdirSync(join(test.home, 'tmp/images'));

/** Every path of a tree with what is there. */
function tree(root: string, prefix = ''): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of readdirSync(join(root, prefix)).sort()) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const found = lstatSync(join(root, path));
    if (found.isSymbolicLink()) out[path] = `-> ${readlinkSync(join(root, path))}`;
    else if (found.isFile()) out[path] = readFileSync(join(root, path), 'utf8');
    else Object.assign(out, { [`${path}/`]: '' }, tree(root, path));
  }
  return out;
}

describe('docker build', () => {
  it('says what docker build says', async () => {
    const { text, id } = await build(
      'FROM scratch\nLABEL kind=base\nENV FOO=image BAR=kept\nCOPY t.wasm /t.wasm\nWORKDIR /wd\nENTRYPOINT ["/t.wasm"]\n',
      { 't.wasm': 'x' },
    );
    expect(text.replace(/[0-9a-f]{12}/g, 'ID')).toBe(
      [
        'Step 1/6 : FROM scratch',
        ' ---> ',
        'Step 2/6 : LABEL kind=base',
        ' ---> ID',
        'Step 3/6 : ENV FOO=image BAR=kept',
        ' ---> ID',
        'Step 4/6 : COPY t.wasm /t.wasm',
        ' ---> ID',
        'Step 5/6 : WORKDIR /wd',
        ' ---> ID',
        'Step 6/6 : ENTRYPOINT ["/t.wasm"]',
        ' ---> ID',
        'Successfully built ID',
        'Successfully tagged t:latest',
        '',
      ].join('\n'),
    );
    const image = test.images.get('t');
    expect(image).toMatchObject({ id, os: 'wasi', architecture: 'wasm', repoTags: ['t:latest'] });
    expect(image.config).toMatchObject({
      env: ['FOO=image', 'BAR=kept'],
      labels: { kind: 'base' },
      workingDir: '/wd',
      entrypoint: ['/t.wasm'],
      command: undefined,
    });
    expect(image.layers).toHaveLength(2);
    expect(text).toContain(`Successfully built ${id.slice(7, 19)}\n`);
    expect(test.events).toEqual(['image tag t:latest', 'image build t:latest']);
    expect(leftovers()).toEqual([]);
  });

  it('sets every part of the configuration', async () => {
    await build(
      [
        'FROM scratch',
        'MAINTAINER somebody',
        'EXPOSE 8080 53/udp 90-91',
        'VOLUME /vol [not-json]',
        'VOLUME ["/a b"]',
        'USER 7:8',
        'STOPSIGNAL SIGINT',
        'HEALTHCHECK --interval=1m30s --timeout=3s --retries=2 CMD ["/check"]',
        'ONBUILD COPY . /src',
        'SHELL ["/sh.wasm", "-c"]',
        'CMD echo hi',
        'ENV A="two words" B=x\\ y C=\'$A\' D=${A}!',
        'ENV OLD the old form',
      ].join('\n'),
    );
    const { config, author } = test.images.get('t');
    expect(author).toBe('somebody');
    expect(config).toEqual({
      env: ['A=two words', 'B=x y', 'C=$A', 'D=!', 'OLD=the old form'],
      entrypoint: undefined,
      command: ['/sh.wasm', '-c', 'echo hi'],
      workingDir: '',
      user: '7:8',
      labels: {},
      exposedPorts: ['53/udp', '8080/tcp', '90/tcp', '91/tcp'],
      volumes: ['/vol', '[not-json]', '/a b'],
      stopSignal: 'SIGINT',
      healthcheck: { test: ['CMD', '/check'], interval: 9e10, timeout: 3e9, startPeriod: 0, retries: 2 },
      onBuild: ['COPY . /src'],
      shell: ['/sh.wasm', '-c'],
    });
  });

  it('stores the shell form with the shell', async () => {
    await build('FROM scratch\nENTRYPOINT run me\nHEALTHCHECK CMD curl x');
    expect(test.images.get('t').config).toMatchObject({
      entrypoint: ['/bin/sh', '-c', 'run me'],
      healthcheck: { test: ['CMD-SHELL', 'curl x'] },
    });
    await build('FROM t\nHEALTHCHECK NONE');
    expect(test.images.get('t').config.healthcheck?.test).toEqual(['NONE']);
  });

  it('drops the command of the base when there is a new entrypoint', async () => {
    await build('FROM scratch\nCMD ["old"]', {}, { tags: ['base'] });
    await build('FROM base\nENTRYPOINT ["/x"]');
    expect(test.images.get('t').config.command).toBeUndefined();
    await build('FROM base\nCMD ["own"]\nENTRYPOINT ["/x"]');
    expect(test.images.get('t').config.command).toEqual(['own']);
  });

  it('adds the labels of the command line as a step', async () => {
    const { text } = await build('FROM scratch\nENV A=1', {}, { labels: { x: "it's $A", b: '1' } });
    expect(text).toContain("Step 3/3 : LABEL b=1 x=it's $A\n");
    expect(test.images.get('t').config.labels).toEqual({ x: "it's $A", b: '1' });
  });

  it('takes WORKDIR relative to the last one, and makes it', async () => {
    await build('FROM scratch\nWORKDIR /a\nWORKDIR b/../c\nCOPY f .\nCOPY f g/', { f: 'x' });
    expect(test.images.get('t').config.workingDir).toBe('/a/c');
    expect(tree(await rootOf('t'))).toEqual({ 'a/': '', 'a/c/': '', 'a/c/f': 'x', 'a/c/g/': '', 'a/c/g/f': 'x' });
  });
});

describe('arguments', () => {
  const env = () => test.images.get('t').config.env;

  it('come from the command line, from defaults, and from before FROM', async () => {
    const dockerfile = 'ARG V=1\nARG BASE=scratch\nFROM ${BASE}\nARG V\nARG W=w\nARG X=x\nENV v=$V w=$W x=${X:-none}';
    await build(dockerfile);
    expect(env()).toEqual(['v=1', 'w=w', 'x=x']);
    await build(dockerfile, {}, { buildArgs: { V: '2', W: '', X: null } });
    expect(env()).toEqual(['v=2', 'w=', 'x=x']);
  });

  it('end with their stage, and ENV hides them', async () => {
    await build(
      'FROM scratch AS a\nARG A=1\nFROM scratch\nENV a=[$A]\nARG B=arg\nENV B=env\nENV b=$B',
      {},
      { buildArgs: { B: 'z' } },
    );
    expect(env()).toEqual(['a=[]', 'B=env', 'b=env']);
  });

  it('see the variables as they were before the instruction', async () => {
    await build('FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc');
    expect(env()).toEqual(['abc=bye', 'def=hello', 'ghi=bye']);
  });

  it('that nobody asks for are warned about', async () => {
    const { text } = await build(
      'FROM scratch\nARG A\nENV x=y',
      {},
      { buildArgs: { A: '1', NOPE: '1', MORE: 'x', HTTP_PROXY: 'p' } },
    );
    expect(text).toContain('[Warning] One or more build-args [MORE NOPE] were not consumed\nSuccessfully built');
  });

  it('number the steps before FROM too', async () => {
    const { text } = await build('ARG V=1\nFROM scratch\nENV A=$V');
    expect(text).toMatch(/^Step 1\/3 : ARG V=1\nStep 2\/3 : FROM scratch\n ---> \nStep 3\/3 : ENV A=\$V\n/);
  });

  it('tell the platform that is built for', async () => {
    await build('FROM --platform=$BUILDPLATFORM scratch\nARG TARGETARCH\nENV arch=$TARGETARCH');
    expect(env()).toEqual(['arch=wasm']);
    await build('FROM scratch\nENV A=1', {}, { platform: 'linux/amd64' });
    expect(test.images.get('t')).toMatchObject({ os: 'linux', architecture: 'amd64' });
  });
});

describe('COPY', () => {
  const files = { 'a.txt': 'a', 'b.txt': 'b', 'dir/c': 'c', 'dir/sub/d': 'd', 'dir/.hidden': 'h', 'star*name': 's' };
  const copied = async (...instructions: string[]) => {
    await build(`FROM scratch\n${instructions.join('\n')}`, files);
    return tree(await rootOf('t'));
  };

  it('copies a file to a name', async () => {
    expect(await copied('COPY a.txt /x/y')).toEqual({ 'x/': '', 'x/y': 'a' });
  });
  it('copies a file into a directory that is named by a slash', async () => {
    expect(await copied('COPY a.txt b.txt x/')).toEqual({ 'x/': '', 'x/a.txt': 'a', 'x/b.txt': 'b' });
  });
  it('copies a file into a directory that is there', async () => {
    expect(await copied('COPY dir /d', 'COPY a.txt /d')).toMatchObject({ 'd/a.txt': 'a' });
  });
  it('copies what is in a directory, not the directory', async () => {
    expect(await copied('COPY dir /x')).toEqual({
      'x/': '',
      'x/.hidden': 'h',
      'x/c': 'c',
      'x/sub/': '',
      'x/sub/d': 'd',
    });
    expect(await copied('COPY dir/ .')).toEqual({ '.hidden': 'h', c: 'c', 'sub/': '', 'sub/d': 'd' });
    expect(await copied('COPY . /')).toMatchObject({ 'a.txt': 'a', 'dir/sub/d': 'd', Dockerfile: expect.any(String) });
  });
  it('knows globs', async () => {
    expect(await copied('COPY *.txt /x/')).toEqual({ 'x/': '', 'x/a.txt': 'a', 'x/b.txt': 'b' });
    expect(await copied('COPY d?r/[a-c] /x')).toEqual({ x: 'c' });
    expect(await copied('COPY */sub /x')).toEqual({ 'x/': '', 'x/d': 'd' });
    expect(await copied('COPY ["star\\\\*name", "/x"]')).toEqual({ x: 's' });
  });
  it('knows --chmod, and keeps modes and times without it', async () => {
    await buildTar(
      await tarOf([
        { name: 'Dockerfile', content: 'FROM scratch\nCOPY tool /kept\nCOPY --chown=1:2 --chmod=640 tool /set\n' },
        { name: 'tool', mode: 0o755, content: '#' },
      ]),
    );
    const root = await rootOf('t');
    expect(statSync(join(root, 'kept')).mode & 0o777).toBe(0o755);
    expect(statSync(join(root, 'kept')).mtime).toEqual(new Date('2020-01-01T00:00:00Z'));
    expect(statSync(join(root, 'set')).mode & 0o777).toBe(0o640);
    await expect(build('FROM scratch\nCOPY --chmod=abc a /a', { a: '' })).rejects.toThrow(
      "invalid chmod parameter: 'abc'",
    );
  });
  it('takes heredocs', async () => {
    const source = 'FROM scratch\nENV X=1\nCOPY <<a <<"b" /x/\nx is $X\na\nx is $X\nb\nCOPY <<ignored /y\ny\nignored\n';
    await build(source);
    expect(tree(await rootOf('t'))).toEqual({ 'x/': '', 'x/a': 'x is 1\n', 'x/b': 'x is $X\n', y: 'y\n' });
  });

  it.each([
    [
      'COPY missing.bin /',
      'COPY failed: file not found in build context or excluded by .dockerignore: stat missing.bin: file does not exist',
    ],
    [
      'ADD missing.bin /',
      'ADD failed: file not found in build context or excluded by .dockerignore: stat missing.bin: file does not exist',
    ],
    ['COPY *.nope /', 'COPY failed: no source files were specified'],
    ['COPY ../x /', 'COPY failed: forbidden path outside the build context: ../x ()'],
    [
      'COPY a.txt b.txt /x',
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    ],
    ['COPY [a /', 'syntax error in pattern'],
    ['COPY --from=5 a /', 'invalid from flag value 5'],
    ['COPY --from=nope a /', 'No such image: nope:latest'],
    ['ADD https://example.org/x /', 'this store of images was opened without a way to download'],
    ['ADD git@example.org:x/y.git /', 'Drydock does not clone git repositories'],
    ['ADD https://example.org/x/y.git#main /', 'Drydock does not clone git repositories'],
    ['COPY dir /d\nCOPY a.txt /d/c/x', 'a file is in its place'],
    ['ENV A="b', 'unexpected end of statement while looking for matching double-quote'],
    ['EXPOSE x', 'invalid containerPort: x'],
    ['STOPSIGNAL nope!', 'Invalid signal: nope!'],
    ['STOPSIGNAL FOO', 'Invalid signal: FOO'],
  ])('%s fails in the middle of the build', async (instruction, message) => {
    const events: string[] = [];
    const context = streamOf(await contextOf({ Dockerfile: `FROM scratch\n${instruction}`, ...files }));
    const run = async () => {
      for await (const event of test.images.build(buildOptions, context))
        if (event.type === 'stream') events.push(event.text);
    };
    await expect(run()).rejects.toThrow(message);
    expect(events[0]).toMatch(/^Step 1\/\d : FROM scratch$/);
    expect(leftovers()).toEqual([]);
  });

  it('keeps links in a directory, and follows one that is named', async () => {
    await buildTar(
      await tarOf([
        { name: 'Dockerfile', content: 'FROM scratch\nCOPY d /d\nCOPY d/link /named/\nCOPY dirlink /e' },
        { name: 'd/real', content: 'x' },
        { name: 'd/link', type: 'symlink', linkname: 'real' },
        { name: 'dirlink', type: 'symlink', linkname: '/d' },
      ]),
    );
    expect(tree(await rootOf('t'))).toEqual({
      'd/': '',
      'd/link': '-> real',
      'd/real': 'x',
      'e/': '',
      'e/link': '-> real',
      'e/real': 'x',
      'named/': '',
      'named/link': 'x',
    });
  });

  it('puts files where a link in the stage leads, and keeps the link', async () => {
    await buildTar(
      await tarOf([
        { name: 'Dockerfile', content: 'FROM scratch\nCOPY base /\nCOPY f /lib/\nCOPY f /lib\nCOPY more /' },
        { name: 'base/usr/lib/x', content: 'x' },
        { name: 'base/lib', type: 'symlink', linkname: 'usr/lib' },
        { name: 'f', content: 'f' },
        { name: 'more/lib/y', content: 'y' },
      ]),
    );
    expect(tree(await rootOf('t'))).toEqual({
      lib: '-> usr/lib',
      'usr/': '',
      'usr/lib/': '',
      'usr/lib/f': 'f',
      'usr/lib/x': 'x',
      'usr/lib/y': 'y',
    });
  });

  it('replaces a file of the base without touching the base', async () => {
    await build('FROM scratch\nCOPY a.txt /x', files, { tags: ['base'] });
    await build('FROM base\nCOPY b.txt /x', files);
    expect(tree(await rootOf('t'))).toEqual({ x: 'b' });
    expect(tree(await rootOf('base'))).toEqual({ x: 'a' });
  });
});

describe('ADD', () => {
  const archive = (items: readonly TarItem[]) => tarOf(items);
  const inside: TarItem[] = [
    { name: 'd/', type: 'directory', mode: 0o700 },
    { name: 'd/one', content: '1', mode: 0o755 },
    { name: 'l', type: 'symlink', linkname: 'd/one' },
    { name: 'h', type: 'link', linkname: 'd/one' },
  ];

  it('unpacks a local archive, plain, gzip or zstd; COPY does not', async () => {
    const tar = await archive(inside);
    for (const content of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
      await buildTar(
        await tarOf([
          { name: 'Dockerfile', content: 'FROM scratch\nADD a.tar /x/\nCOPY a.tar /a.tar\nADD plain /plain' },
          { name: 'a.tar', content },
          { name: 'plain', content: 'not an archive' },
        ]),
      );
      const root = await rootOf('t');
      expect(tree(join(root, 'x'))).toEqual({ 'd/': '', 'd/one': '1', h: '1', l: '-> d/one' });
      expect(statSync(join(root, 'x/d/one')).mode & 0o777).toBe(0o755);
      expect(readFileSync(join(root, 'a.tar')).equals(content)).toBe(true);
      expect(readFileSync(join(root, 'plain'), 'utf8')).toBe('not an archive');
    }
  });

  it.each([
    ['leads upwards', { name: '../evil', content: 'x' }],
    ['link out of the root', { name: 'l', type: 'symlink', linkname: '../../../evil' }],
    ['devices', { name: 'n', type: 'character-device' }],
  ] as [string, TarItem][])('refuses an archive whose entry %s', async (message, item) => {
    const tar = await archive([item]);
    const context = await tarOf([
      { name: 'Dockerfile', content: 'FROM scratch\nADD a.tar /x/' },
      { name: 'a.tar', content: tar },
    ]);
    await expect(buildTar(context)).rejects.toThrow(message);
  });

  it('says which compression it cannot unpack', async () => {
    const context = await tarOf([
      { name: 'Dockerfile', content: 'FROM scratch\nADD a.tar.xz /x/' },
      { name: 'a.tar.xz', content: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2]) },
    ]);
    await expect(buildTar(context)).rejects.toThrow('a.tar.xz is compressed with xz, which Drydock cannot unpack');
  });
});

describe('stages', () => {
  it('copy from earlier stages, by name and number, and from images', async () => {
    await build('FROM scratch\nCOPY f /from-image', { f: 'image' }, { tags: ['other:1'] });
    const { text } = await build(
      'FROM scratch AS One\nCOPY f /one\nFROM one AS two\nCOPY f /two\nFROM scratch\nCOPY --from=ONE /one /1\nCOPY --from=1 / /2/\nCOPY --from=other:1 /from-image /3',
      { f: 'x' },
    );
    expect(tree(await rootOf('t'))).toEqual({ '1': 'x', '2/': '', '2/one': 'x', '2/two': 'x', '3': 'image' });
    expect(text).toContain('Step 8/8 : COPY --from=other:1');
    // No stage is left lying about as a dangling image.
    expect(test.images.list({ all: false, filters: new Map([['dangling', ['true']]]) })).toEqual([]);
  });

  it('stop at the target', async () => {
    const { text } = await build(
      'FROM scratch AS a\nENV A=1\nFROM scratch AS b\nENV B=1\nFROM nowhere',
      {},
      { target: 'b' },
    );
    expect(text).toContain('Step 4/4 : ENV B=1');
    expect(test.images.get('t').config.env).toEqual(['B=1']);
  });

  it('run the triggers of their base, once', async () => {
    await build('FROM scratch\nONBUILD COPY f /f\nONBUILD ENV A=1', { f: 'x' }, { tags: ['base'] });
    const { text } = await build('FROM base\nENV B=2', { f: 'mine' }, { tags: ['child'] });
    expect(text).toContain('# Executing 2 build triggers\n');
    expect(test.images.get('child').config).toMatchObject({ env: ['A=1', 'B=2'], onBuild: [] });
    expect(tree(await rootOf('child'))).toEqual({ f: 'mine' });
    expect((await build('FROM child\nENV C=3', {})).text).not.toContain('trigger');
  });
});

describe('what is wrong with a request', () => {
  const before = async (dockerfile: string, options = {}, files: Readonly<Record<string, string>> = {}) => {
    const context = streamOf(await contextOf({ Dockerfile: dockerfile, ...files }));
    const iterator = test.images.build({ ...buildOptions, ...options }, context)[Symbol.asyncIterator]();
    // Nothing was said before.
    return iterator.next();
  };

  it.each([
    ['FROM scratch\nFOO bar', {}, 'dockerfile parse error line 2: unknown instruction: FOO'],
    ['', {}, 'the Dockerfile (Dockerfile) cannot be empty'],
    ['# only a comment', {}, 'file with no instructions'],
    ['FROM scratch', { dockerfile: 'Other' }, 'Cannot locate specified Dockerfile: Other'],
    ['FROM scratch', { tags: ['Bad'] }, 'must be lowercase'],
    ['FROM scratch', { target: 'x' }, 'failed to reach build target x in Dockerfile'],
    ['FROM scratch', { platform: 'a//b' }, '"a//b" is an invalid platform'],
  ])('%j is told before the first event', async (dockerfile, options, message) => {
    await expect(before(dockerfile, options)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(message),
    });
    expect(leftovers()).toEqual([]);
  });

  it('finds the Dockerfile under another name, in a directory, and in lower case', async () => {
    for (const dockerfile of ['sub/D2', './sub/D2', '/sub/D2'])
      expect((await test.build({ 'sub/D2': 'FROM scratch\nENV A=1' }, { dockerfile })).id).toMatch(/^sha256:/);
    expect((await test.build({ dockerfile: 'FROM scratch\nENV A=1' })).id).toMatch(/^sha256:/);
  });

  it('says that nothing was built', async () => {
    await expect(build('FROM scratch')).rejects.toThrow('No image was generated. Is your Dockerfile empty?');
    await expect(build('FROM nope')).rejects.toMatchObject({
      kind: 'notFound',
      message: 'No such image: nope:latest',
      hint: 'Pull it first: docker pull nope',
    });
  });

  it('refuses a context that is no tar, or hostile, and reads it to the end all the same', async () => {
    let read = 0;
    const counted = async function* (bytes: Uint8Array) {
      for await (const chunk of streamOf(bytes)) {
        read += chunk.length;
        yield chunk;
      }
    };
    const garbage = Buffer.alloc(100_000, 'x');
    await expect(collect(test.images.build(buildOptions, counted(garbage)))).rejects.toMatchObject({ kind: 'invalid' });
    expect(read).toBe(garbage.length);
    await expect(buildTar(await tarOf([{ name: '../x', content: 'x' }]))).rejects.toThrow(
      'of the build context: its name leads upwards',
    );
    const whole = await contextOf({ Dockerfile: 'FROM scratch\nCOPY f /', f: 'x'.repeat(5000) });
    await expect(buildTar(whole.subarray(0, 3000))).rejects.toThrow('the build context is not a whole tar archive');
    expect(leftovers()).toEqual([]);
  });

  it('takes compressed contexts', async () => {
    const tar = await contextOf({ Dockerfile: 'FROM scratch\nCOPY f /', f: 'x' });
    expect((await buildTar(gzipSync(tar))).text).toContain('Successfully built');
    expect((await buildTar(zstdCompressSync(tar))).text).toContain('Using cache');
  });
});

describe('.dockerignore', () => {
  it('leaves things out, the Dockerfile among them', async () => {
    await build('FROM scratch\nCOPY . /', {
      '.dockerignore': '# c\nDockerfile\nnode_modules\n*.log\n!keep.log\ndir/*\n!dir/kept\n**/tmp\n',
      'node_modules/a': '1',
      'x.log': '1',
      'keep.log': '1',
      'dir/kept': '1',
      'dir/gone': '1',
      'deep/er/tmp/x': '1',
      'deep/y': '1',
    });
    expect(Object.keys(tree(await rootOf('t')))).toEqual([
      '.dockerignore',
      'deep/',
      'deep/er/',
      'deep/y',
      'dir/',
      'dir/kept',
      'keep.log',
    ]);
    await expect(build('FROM scratch\nCOPY x.log /', { '.dockerignore': '*.log', 'x.log': '' })).rejects.toThrow(
      'excluded by .dockerignore: stat x.log',
    );
  });
});

describe('the cache', () => {
  const dockerfile = 'FROM scratch\nENV A=1\nCOPY f /f\nLABEL b=2';
  const hits = (text: string) => text.match(/^ ---> Using cache$/gm)?.length ?? 0;

  it('answers what is built again, whenever the files were written', async () => {
    const first = await build(dockerfile, { f: 'x' });
    const again = await buildTar(
      await tarOf([
        { name: 'Dockerfile', content: dockerfile },
        { name: 'f', content: 'x', mtime: new Date('2024-05-05') },
      ]),
    );
    expect(hits(first.text)).toBe(0);
    expect(hits(again.text)).toBe(3);
    expect(again.id).toBe(first.id);
    expect(again.text).toContain(`Step 2/4 : ENV A=1\n ---> Using cache\n ---> `);
  });

  it('goes as far as nothing changed', async () => {
    await build(dockerfile, { f: 'x' });
    expect(hits((await build(dockerfile, { f: 'changed' })).text)).toBe(1);
    expect(hits((await build(dockerfile.replace('b=2', 'b=3'), { f: 'x' })).text)).toBe(2);
    expect(hits((await build(dockerfile.replace('ENV A=1', 'ENV A=2'), { f: 'x' })).text)).toBe(0);
    expect(hits((await build(dockerfile, { f: 'x', other: 'not copied' })).text)).toBe(3);
  });

  it('looks at modes and names', async () => {
    const withMode = async (mode: number, name = 'f') =>
      buildTar(
        await tarOf([
          { name: 'Dockerfile', content: `FROM scratch\nCOPY * /x/` },
          { name, content: 'x', mode },
        ]),
      );
    expect(hits((await withMode(0o644)).text)).toBe(0);
    expect(hits((await withMode(0o644)).text)).toBe(1);
    expect(hits((await withMode(0o755)).text)).toBe(0);
    expect(hits((await withMode(0o644, 'g')).text)).toBe(0);
  });

  it('is not asked with --no-cache', async () => {
    const first = await build(dockerfile, { f: 'x' });
    const second = await build(dockerfile, { f: 'x' }, { noCache: true });
    expect(hits(second.text)).toBe(0);
    expect(second.id).not.toBe(first.id);
    expect(test.images.get(first.id).repoTags).toEqual([]);
  });

  it('sees build arguments where they are used', async () => {
    const source = 'FROM scratch\nARG V\nLABEL v=$V\nENV A=1';
    await build(source, {}, { buildArgs: { V: '1' } });
    expect(hits((await build(source, {}, { buildArgs: { V: '1' } })).text)).toBe(3);
    expect(hits((await build(source, {}, { buildArgs: { V: '2' } })).text)).toBe(1);
  });

  it('keeps the steps of a build that failed', async () => {
    await expect(build(`${dockerfile}\nCOPY missing /`, { f: 'x' })).rejects.toThrow('missing');
    expect(hits((await build(dockerfile, { f: 'x' })).text)).toBe(3);
    expect(test.images.list({ all: false, filters: new Map() })).toHaveLength(1);
  });

  it('knows stages and what was copied from them by content', async () => {
    const staged = (env: string) => `FROM scratch AS a\nENV E=${env}\nCOPY f /f\nFROM scratch\nCOPY --from=a /f /g`;
    await build(staged('1'), { f: 'x' });
    expect(hits((await build(staged('1'), { f: 'x' })).text)).toBe(3);
    expect(hits((await build(staged('2'), { f: 'x' })).text)).toBe(1);
  });

  it('makes one layer of equal contents, also on different bases', async () => {
    await build('FROM scratch\nENV one=1\nCOPY f /f', { f: 'the same' }, { tags: ['one'] });
    await buildTar(
      await tarOf([
        { name: 'Dockerfile', content: 'FROM scratch\nENV two=2\nCOPY . /' },
        { name: 'f', content: 'the same', mtime: new Date('2024-05-05') },
        { name: '.dockerignore', content: 'Dockerfile\n.dockerignore' },
      ]),
      { tags: ['two'] },
    );
    const [one, two] = [test.images.get('one'), test.images.get('two')];
    expect(two.layers).toEqual(one.layers);
    expect(two.id).not.toBe(one.id);
  });

  it('makes the same layer of the same files at two places that know nothing of each other', async () => {
    const elsewhere = await openTestImages();
    const files = { Dockerfile: 'FROM scratch\nCOPY f /deep/f', f: 'x' };
    const here = await test.build(files);
    const there = await elsewhere.build(files);
    expect(elsewhere.images.get(there.id).layers).toEqual(test.images.get(here.id).layers);
    await elsewhere.close();
  });

  it('lets a step that was built by itself, too, go with the last image made of it, as Docker does', async () => {
    await build('FROM scratch\nENV A=1\nENV B=2', {}, { tags: ['long'] });
    const { id } = await build('FROM scratch\nENV A=1', {}, { tags: [] });
    await test.images.remove('long', { force: false, prune: true });
    const left = test.images.list({ all: true, filters: new Map() }).map((image) => image.id);
    expect(left).toEqual([]);
    expect((await build('FROM scratch\nENV A=1')).id).not.toBe(id);
  });
});

describe('many at once', () => {
  it('builds do not disturb each other, nor removals', async () => {
    await build('FROM scratch\nCOPY f /base', { f: 'base' }, { tags: ['base'] });
    await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        await build(`FROM base\nCOPY f /f\nENV N=${i % 3}`, { f: `content ${i % 2}` }, { tags: [`n${i}`] });
        if (i % 2 === 0) await test.images.remove(`n${i}`, { force: false, prune: true });
      }),
    );
    for (const i of [1, 3, 5]) expect(tree(await rootOf(`n${i}`))).toEqual({ base: 'base', f: 'content 1' });
    await test.reopen();
    expect(tree(await rootOf('n5'))).toEqual({ base: 'base', f: 'content 1' });
  });

  it('a build keeps what it stands on when that is removed meanwhile', async () => {
    await build('FROM scratch\nCOPY f /base', { f: 'base' }, { tags: ['base'] });
    const context = streamOf(await contextOf({ Dockerfile: 'FROM base\nCOPY f /f', f: 'x' }));
    const running = test.images.build({ ...buildOptions, tags: ['t'] }, context)[Symbol.asyncIterator]();
    for (let text = ''; !text.startsWith(' ---> ');) {
      const { value } = await running.next();
      text = value?.type === 'stream' ? value.text : '';
    }
    await test.images.remove('base', { force: true, prune: true });
    while (!(await running.next()).done);
    expect(tree(await rootOf('t'))).toEqual({ base: 'base', f: 'x' });
  });
});

describe('cancelling', () => {
  it('ends a build that waits for its context, and removes what was read', async () => {
    const abort = new AbortController();
    const endless = async function* () {
      yield (await contextOf({ Dockerfile: 'FROM scratch\nENV A=1' })).subarray(0, 512);
      abort.abort();
      await new Promise(() => undefined);
    };
    await expect(collect(test.images.build(buildOptions, endless(), abort.signal))).rejects.toMatchObject({
      kind: 'cancelled',
    });
    expect(leftovers()).toEqual([]);
  });

  it('ends between steps, keeping those that are done', async () => {
    const abort = new AbortController();
    const context = streamOf(await contextOf({ Dockerfile: 'FROM scratch\nENV A=1\nENV B=2\nENV C=3' }));
    const run = async () => {
      for await (const event of test.images.build(buildOptions, context, abort.signal))
        if (event.type === 'stream' && event.text.includes('ENV B')) abort.abort();
    };
    await expect(run()).rejects.toMatchObject({ kind: 'cancelled' });
    expect((await build('FROM scratch\nENV A=1\nENV Z=2')).text.match(/Using cache/g)).toHaveLength(1);
  });

  it('by leaving the iteration removes the context', async () => {
    const context = streamOf(await contextOf({ Dockerfile: 'FROM scratch\nENV A=1' }));
    for await (const event of test.images.build(buildOptions, context)) {
      expect(event).toEqual({ type: 'stream', text: 'Step 1/2 : FROM scratch' });
      break;
    }
    expect(leftovers()).toEqual([]);
  });
});

describe('RUN', () => {
  it('in shell form says that the image has no shell', async () => {
    await expect(build('FROM scratch\nRUN echo hi')).rejects.toMatchObject({
      kind: 'invalid',
      message: 'RUN failed: the image has no shell: /bin/sh is not in it',
    });
  });

  it('in exec form says what is missing', async () => {
    await expect(build('FROM scratch\nRUN ["/tool.wasm"]')).rejects.toThrow(
      'RUN failed: exec: "/tool.wasm": stat /tool.wasm: no such file or directory',
    );
    await expect(build('FROM scratch\nCOPY f /tool.wasm\nRUN ["/tool.wasm"]', { f: 'x' })).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('RUN is not supported yet'),
    });
  });

  it('packs what the program left, streams what it says, and is cached', async () => {
    await test.close();
    const requests: ProgramRequest[] = [];
    // A program that changes files as an overlay's guest would, by way of the real directory.
    const runProgram: ProgramRunner = async function* (request) {
      requests.push(request);
      if (request.argv.includes('fail')) {
        yield { exitCode: 3 };
        return;
      }
      writeFileSync(join(request.upper, 'made'), readFileSync(join(request.lower, 'input')));
      writeFileSync(join(request.upper, '.wh.input'), '');
      writeFileSync(join(request.upper, '.wh..wh.unfinished'), '');
      const text = Buffer.from('grüße\n');
      yield { stream: 1, data: text.subarray(0, 3) };
      yield { stream: 1, data: text.subarray(3) };
      yield { exitCode: 0 };
    };
    test = await openTestImages({ runProgram });
    const source =
      'FROM scratch\nARG V=1\nENV E=2\nCOPY f /bin/cc.wasm\nCOPY f /input\nWORKDIR /w\nRUN ["cc", "-o", "x"]\nCOPY f /last';
    const { text } = await build(source, { f: 'x' });
    expect(text).toContain('Step 7/8 : RUN ["cc", "-o", "x"]\ngrüße\n ---> ');
    expect(requests[0]).toMatchObject({
      program: '/bin/cc.wasm',
      argv: ['cc', '-o', 'x'],
      env: ['V=1', 'E=2'],
      workingDir: '/w',
    });
    expect(tree(await rootOf('t'))).toEqual({ 'bin/': '', 'bin/cc.wasm': 'x', last: 'x', made: 'x', 'w/': '' });
    expect((await build(source, { f: 'x' })).text.match(/Using cache/g)).toHaveLength(7);
    expect(requests).toHaveLength(1);
    await build(source, { f: 'x' }, { buildArgs: { V: '2' } });
    expect(requests).toHaveLength(2);
    await expect(build(`${source}\nRUN ["cc", "fail"]`, { f: 'x' })).rejects.toThrow(
      `The command 'cc fail' returned a non-zero code: 3`,
    );
  });
});

describe('large files', () => {
  it('go through whole', async () => {
    const content = Buffer.alloc(9_000_001);
    for (let i = 0; i < content.length; i += 4096) content.writeUInt32LE(i, Math.min(i, content.length - 4));
    await buildTar(
      await tarOf([
        { name: 'Dockerfile', content: 'FROM scratch\nCOPY big /big\nCOPY big /again/' },
        { name: 'big', content },
      ]),
    );
    const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    const root = await rootOf('t');
    expect(sum(readFileSync(join(root, 'big')))).toBe(sum(content));
    expect(sum(readFileSync(join(root, 'again/big')))).toBe(sum(content));
    expect(test.images.get('t').size).toBe(2 * content.length);
  });
});
