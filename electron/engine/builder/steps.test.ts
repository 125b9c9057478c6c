/** What a build tells besides its text, and what its cache knows. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildEvent, BuildStep } from '../api/images.ts';
import { buildOptions, contextOf, openTestImages, streamOf, tarOf, type TestImages } from '../images/testing.ts';

let test: TestImages;
beforeEach(async () => {
  test = await openTestImages();
});
afterEach(() => test.close());

async function events(dockerfile: string, files: Readonly<Record<string, string>> = {}, options = {}) {
  const context = streamOf(await contextOf({ Dockerfile: dockerfile, ...files }));
  const out: BuildEvent[] = [];
  for await (const event of test.images.build({ ...buildOptions, tags: ['t'], ...options }, context)) out.push(event);
  return out;
}
const steps = (all: readonly BuildEvent[]): BuildStep[] => all.filter((event) => event.type === 'step');
const done = (all: readonly BuildEvent[]) =>
  steps(all)
    .filter((step) => step.milliseconds !== undefined)
    .map(({ index, stage, text, cached }) => [index, stage, text, cached]);
const hits = ({ text }: { readonly text: string }) => text.match(/^ ---> Using cache$/gm)?.length ?? 0;

describe('steps', () => {
  const source = 'ARG V=1\nFROM scratch AS one\nENV A=$V\nFROM scratch\nCOPY f \\\n  /f';

  it('are told when they begin and when they are done', async () => {
    const all = await events(source, { f: 'x' });
    expect(steps(all).every(({ total }) => total === 5)).toBe(true);
    expect(steps(all).map(({ index, milliseconds }) => [index, milliseconds !== undefined])).toEqual(
      [1, 2, 3, 4, 5].flatMap((index) => [
        [index, false],
        [index, true],
      ]),
    );
    for (const { milliseconds = 0 } of steps(all)) expect(milliseconds).toBeGreaterThanOrEqual(0);
    expect(done(all)).toEqual([
      [1, '', 'ARG V=1', true],
      [2, 'one', 'FROM scratch AS one', true],
      [3, 'one', 'ENV A=$V', false],
      [4, '1', 'FROM scratch', true],
      [5, '1', 'COPY f   /f', false],
    ]);
    expect(done(await events(source, { f: 'x' })).map((step) => step[3])).toEqual([true, true, true, true, true]);
  });

  it('a FROM counts what its image wants done', async () => {
    await events('FROM scratch\nONBUILD COPY f /f\nONBUILD ENV A=1', {}, { tags: ['base'] });
    const build = async (f: string) => done(await events('FROM base\nENV B=1', { f })).map((step) => step[3]);
    expect(await build('1')).toEqual([false, false]);
    expect(await build('1')).toEqual([true, true]);
    expect(await build('2')).toEqual([false, false]);
  });

  it('the one that fails has no end, and the error names it and its line', async () => {
    const seen: BuildEvent[] = [];
    const context = streamOf(await contextOf({ Dockerfile: 'FROM scratch\n\nENV A=1\n# c\nCOPY missing /\nENV B=1' }));
    const run = async () => {
      for await (const event of test.images.build(buildOptions, context)) seen.push(event);
    };
    await expect(run()).rejects.toMatchObject({ kind: 'notFound', data: { step: 3, line: 5, source: 'missing' } });
    expect(steps(seen).at(-1)).toEqual({
      type: 'step',
      index: 3,
      total: 4,
      text: 'COPY missing /',
      line: 5,
      stage: '0',
    });
  });
});

describe('history', () => {
  it('shows instructions as docker does', async () => {
    await test.build(
      {
        Dockerfile: [
          'FROM scratch',
          'COPY --chmod=755 f /f',
          'EXPOSE 81 80/udp',
          'VOLUME ["/a b", "/c"]',
          'SHELL ["/sh", "-c"]',
          'HEALTHCHECK --interval=5s CMD ["/f", "x"]',
          'ENTRYPOINT ["/f"]',
          'CMD a "b"',
        ].join('\n'),
        f: 'x',
      },
      { tags: ['t'] },
    );
    const shown = test.images.history('t').map(({ createdBy, size, comment }) => [createdBy, size, comment]);
    expect(shown).toEqual([
      ['CMD ["/sh" "-c" "a \\"b\\""]', 0, ''],
      ['ENTRYPOINT ["/f"]', 0, ''],
      ['HEALTHCHECK --interval=5s CMD ["/f", "x"]', 0, ''],
      ['SHELL [/sh -c]', 0, ''],
      ['VOLUME [/a b /c]', 0, ''],
      ['EXPOSE [80/udp 81/tcp]', 0, ''],
      ['COPY --chmod=755 f /f', 1, ''],
    ]);
    expect(test.images.get('t').comment).toBe('');
  });
});

describe('instructions', () => {
  const config = async (...lines: string[]) => {
    await test.build({ Dockerfile: ['FROM scratch', 'ENV base=1', ...lines].join('\n'), f: 'x' }, { tags: ['t'] });
    return test.images.get('t').config;
  };

  it('an empty command is the shell alone, an empty entrypoint takes it away', async () => {
    expect((await config('CMD')).command).toEqual(['/bin/sh', '-c']);
    expect((await config('ENTRYPOINT ["a"]', 'ENTRYPOINT')).entrypoint).toBeUndefined();
    expect((await config('ENTRYPOINT ["a"]', 'ENTRYPOINT []')).entrypoint).toBeUndefined();
  });

  it('a health check in shell form leaves the shell to whoever runs it', async () => {
    const check = 'HEALTHCHECK --start-interval=500ms --start-period=1m --retries=7 CMD x y';
    expect((await config('SHELL ["/s"]', check)).healthcheck).toEqual({
      test: ['CMD-SHELL', 'x y'],
      interval: 0,
      timeout: 0,
      startPeriod: 6e10,
      startInterval: 5e8,
      retries: 7,
    });
  });

  it('PATH can be added to', async () => {
    expect((await config('ENV PATH=/x:$PATH')).env).toContain(
      'PATH=/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    );
    expect((await config('ENV PATH=/only', 'ENV PATH=$PATH:/more')).env).toContain('PATH=/only:/more');
  });

  it('one line of ARG does not see itself', async () => {
    expect((await config('ARG A=a B=$A', 'ENV x=[$B]')).env).toContain('x=[]');
  });

  it('names that objects have are no build arguments', async () => {
    expect((await config('ARG constructor', 'ENV x=[$constructor]')).env).toContain('x=[]');
  });

  it('copies from no stage that is not finished', async () => {
    const copy = (from: string) =>
      test.build({ Dockerfile: `FROM scratch AS a\nENV A=1\nCOPY --from=${from} /x /\nFROM scratch AS b\nENV B=1` });
    for (const from of ['a', 'B'])
      await expect(copy(from)).rejects.toThrow(`invalid from flag value ${from}: the stage ${from} is not finished`);
  });

  it('heredocs and files go together', async () => {
    await config('ENV X=1', 'COPY <<one f <<"two" /d/', '$X', 'one', '$X', 'two');
    const { readFileSync, readdirSync } = await import('node:fs');
    const root = await test.images.snapshot(test.images.get('t').id);
    expect(readdirSync(`${root}/d`).sort()).toEqual(['f', 'one', 'two']);
    expect(['f', 'one', 'two'].map((name) => readFileSync(`${root}/d/${name}`, 'utf8'))).toEqual(['x', '1\n', '$X\n']);
  });

  it('a pattern may match nothing beside others that do', async () => {
    await config('COPY f *.nope /d/');
    await expect(config('COPY *.nope *.no /d/')).rejects.toMatchObject({
      message: 'COPY failed: no source files were specified',
      hint: 'Nothing matches *.nope *.no in the build context.',
    });
  });

  it('a context may hold links that lead out of it; they lead nowhere', async () => {
    const tar = await tarOf([
      { name: 'Dockerfile', content: 'FROM scratch\nCOPY f /f\nCOPY out /out' },
      { name: 'f', content: 'x' },
      { name: 'out', type: 'symlink', linkname: '../../etc/hostname' },
    ]);
    const build = async () => {
      for await (const _ of test.images.build(buildOptions, streamOf(tar)));
    };
    await expect(build()).rejects.toThrow('COPY failed: file not found in build context');
  });

  it('a trigger may hold a heredoc', async () => {
    await test.build({ Dockerfile: 'FROM scratch\nONBUILD COPY <<E /x\nline $A\nE\nENV A=1' }, { tags: ['base'] });
    expect(test.images.get('base').config.onBuild).toEqual(['COPY <<E /x\nline $A\nE']);
    await test.build({ Dockerfile: 'FROM base\nENV B=1' }, { tags: ['t'] });
    const { readFileSync } = await import('node:fs');
    const root = await test.images.snapshot(test.images.get('t').id);
    expect(readFileSync(`${root}/x`, 'utf8')).toBe('line 1\n');
  });
});

describe('platforms', () => {
  it('of FROM count for that stage alone', async () => {
    const build = (from: string) => test.build({ Dockerfile: `${from}\nENV A=1` }, { tags: ['t'] });
    await build('ARG P=linux/arm64\nFROM --platform=$P scratch');
    expect(test.images.get('t')).toMatchObject({ os: 'linux', architecture: 'arm64' });
    await build('FROM --platform=wasm scratch');
    expect(test.images.get('t')).toMatchObject({ os: 'wasi', architecture: 'wasm' });
    await expect(build('FROM --platform=a//b scratch')).rejects.toThrow('"a//b" is an invalid platform');
  });

  it('any of WebAssembly fits any other, else they must be the same', async () => {
    await test.build({ Dockerfile: 'FROM scratch\nENV A=1' }, { tags: ['base'] });
    const on = (platform: string) => test.build({ Dockerfile: `FROM --platform=${platform} base\nENV B=1` });
    for (const platform of ['wasi/wasm', 'wasip1/wasm', 'wasi/wasm32', 'wasm']) await on(platform);
    await expect(on('linux/amd64')).rejects.toMatchObject({
      kind: 'notFound',
      message:
        'image with reference base was found but does not match the specified platform: wanted linux/amd64, actual: wasi/wasm',
    });
    await expect(test.build({ Dockerfile: 'FROM base\nENV B=1' }, { platform: 'linux/amd64' })).rejects.toThrow(
      'does not match the specified platform',
    );
  });
});

describe('the cache', () => {
  const source = 'FROM scratch AS a\nCOPY f /f\nFROM scratch\nCOPY --from=a /f /g\nENV A=1';

  it('survives a restart', async () => {
    const first = await test.build({ Dockerfile: source, f: 'x' }, { tags: ['t'] });
    await test.reopen();
    const again = await test.build({ Dockerfile: source, f: 'x' }, { tags: ['t'] });
    expect([hits(again), again.id]).toEqual([3, first.id]);
  });

  it('sees modes where --chmod does not set them', async () => {
    const withMode = async (mode: number, copy: string) => {
      const tar = await tarOf([
        { name: 'Dockerfile', content: `FROM scratch\n${copy}` },
        { name: 'f', content: 'x', mode },
      ]);
      let text = '';
      for await (const event of test.images.build({ ...buildOptions, tags: ['m'] }, streamOf(tar)))
        if (event.type === 'stream') text += event.text;
      return hits({ text });
    };
    expect(await withMode(0o644, 'COPY f /f')).toBe(0);
    expect(await withMode(0o600, 'COPY f /f')).toBe(0);
    expect(await withMode(0o600, 'COPY f /f')).toBe(1);
    expect(await withMode(0o600, 'COPY --chmod=755 f /f')).toBe(0);
    expect(await withMode(0o600, 'COPY --chmod=700 f /f')).toBe(0);
  });
});
