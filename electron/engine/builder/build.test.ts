import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestImages, type TestImages } from '../images/testing.ts';

let test: TestImages;
beforeEach(async () => {
  test = await openTestImages();
});
afterEach(() => test.close());

describe('docker build', () => {
  it('says what docker build says', async () => {
    const { text, id } = await test.build(
      {
        Dockerfile:
          'FROM scratch\nLABEL kind=base\nENV FOO=image BAR=kept\nCOPY t.wasm /t.wasm\nWORKDIR /wd\nENTRYPOINT ["/t.wasm"]\n',
        't.wasm': 'x',
      },
      { tags: ['t'] },
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
  });
});
