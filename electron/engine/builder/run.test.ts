/** RUN, with a program runner of the test's own; the real one is tested through test/integration/build.test.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { denied } from '../../base/errors.ts';
import { openTestImages, type TestImages } from '../images/testing.ts';
import type { ProgramOutput, ProgramRequest, ProgramRunner } from './run.ts';

let test: TestImages;
let requests: ProgramRequest[];
/** What the next program does after it was noted. */
let act: (request: ProgramRequest) => Iterable<ProgramOutput>;

beforeEach(async () => {
  requests = [];
  act = () => [{ exitCode: 0 }];
  const runProgram: ProgramRunner = async function* (request) {
    requests.push(request);
    yield* act(request);
  };
  test = await openTestImages({ runProgram });
});
afterEach(() => test.close());

const base = 'FROM scratch\nCOPY f /bin/sh.wasm\nCOPY f /bin/python.wasm\n';
const build = (dockerfile: string, options = {}) =>
  test.build({ Dockerfile: base + dockerfile, f: 'x' }, { tags: ['t'], ...options });
const last = (): ProgramRequest => {
  const request = requests.at(-1);
  if (!request) throw new Error('nothing ran');
  return request;
};
const createdBy = () => test.images.history('t')[0]?.createdBy;

describe('RUN', () => {
  it('in shell form gives the text to the shell of the image', async () => {
    await build('ARG V=1\nENV E=e\nRUN echo $E  "$V" \\\n  && true');
    expect(last()).toMatchObject({
      program: '/bin/sh.wasm',
      argv: ['/bin/sh', '-c', 'echo $E  "$V"   && true'],
      env: ['V=1', 'E=e'],
      mounts: [],
    });
    expect(createdBy()).toBe('RUN |1 V=1 /bin/sh -c echo $E  "$V"   && true');
    await build('SHELL ["python", "-c"]\nRUN print(1)');
    expect(last()).toMatchObject({ program: '/bin/python.wasm', argv: ['python', '-c', 'print(1)'] });
    expect(createdBy()).toBe('RUN python -c print(1)');
  });

  it('gives a heredoc to the shell, or with a command before it the whole text', async () => {
    await build('RUN <<E\necho $X\n\techo 2\nE');
    expect(last().argv).toEqual(['/bin/sh', '-c', 'echo $X\n\techo 2\n']);
    await build('RUN <<-E\n\techo 1\n\tE');
    expect(last().argv).toEqual(['/bin/sh', '-c', 'echo 1\n']);
    await build('RUN cat <<"A" <<B > /x && y\none\nA\ntwo\nB\nENV A=1');
    expect(last().argv).toEqual(['/bin/sh', '-c', 'cat <<"A" <<B > /x && y\none\nA\ntwo\nB\n']);
  });

  it.each([
    ['#!/bin/python.wasm', ['/bin/python.wasm', '/dev/pipes/E']],
    ['#! /bin/python -I ', ['/bin/python', '-I', '/dev/pipes/E']],
    ['#!/usr/bin/env python', ['python', '/dev/pipes/E']],
    ['#!/usr/bin/env -S python -I', ['python', '-I', '/dev/pipes/E']],
  ])('runs a heredoc that begins with %s', async (line, argv) => {
    let script = '';
    act = ({ mounts: [mount] }) => {
      expect(mount?.target).toBe('/dev/pipes');
      script = readFileSync(join(mount?.source ?? '', 'E'), 'utf8');
      return [{ exitCode: 0 }];
    };
    await build(`RUN <<E\n${line}\nprint(1)\nE`);
    expect(last()).toMatchObject({ program: '/bin/python.wasm', argv });
    expect(script).toBe(`${line}\nprint(1)\n`);
    // The script counts in the cache.
    await build(`RUN <<E\n${line}\nprint(1)\nE`);
    expect(requests).toHaveLength(1);
    await build(`RUN <<E\n${line}\nprint(2)\nE`);
    expect(requests).toHaveLength(2);
  });

  it('has the network and the limits that were asked for, and none where the step says so', async () => {
    const asked = { network: 'n', extraHosts: ['a:1.2.3.4'], memory: 2 ** 20, nanoCpus: 5e8, openFiles: 7 };
    await build('RUN ["sh"]', asked);
    expect(last()).toMatchObject(asked);
    await build('RUN --network=none ["sh"]', asked);
    expect(last()).toMatchObject({ ...asked, network: 'none' });
    await build('RUN --network=default sh', {});
    expect(last()).toMatchObject({ network: 'default', extraHosts: [], memory: 0, nanoCpus: 0, openFiles: 0 });
  });

  it('all of one build share a group, which another build has not', async () => {
    await build('RUN ["sh", "1"]\nRUN ["sh", "2"]');
    await build('RUN ["sh", "3"]');
    const groups = requests.map(({ group }) => group);
    expect(groups[1]).toBe(groups[0]);
    expect(groups[2]).not.toBe(groups[0]);
  });

  it('sees the predefined proxies, which do not count in the cache', async () => {
    const source = 'RUN ["sh"]';
    await build(source, { buildArgs: { HTTP_PROXY: 'one' } });
    expect(last().env).toEqual(['HTTP_PROXY=one']);
    await build(source, { buildArgs: { HTTP_PROXY: 'two' } });
    expect(requests).toHaveLength(1);
    expect(createdBy()).toBe('RUN sh');
    await build(`ARG V\n${source}`, { buildArgs: { V: '1' } });
    await build(`ARG V\n${source}`, { buildArgs: { V: '2' } });
    expect(requests).toHaveLength(3);
  });

  it.each([
    [[{ exitCode: 3 }], "The command '/bin/sh -c boom' returned a non-zero code: 3"],
    [
      [{ exitCode: 134, error: 'unreachable' }],
      "The command '/bin/sh -c boom' returned a non-zero code: 134: unreachable",
    ],
    [[], "The command '/bin/sh -c boom' returned a non-zero code: none"],
  ] as [ProgramOutput[], string][])('that fails says how, and keeps what came before', async (outputs, message) => {
    act = ({ argv, upper }) => {
      writeFileSync(join(upper, argv.at(-1) === 'boom' ? 'never' : 'kept'), '');
      return argv.at(-1) === 'boom' ? outputs : [{ exitCode: 0 }];
    };
    await expect(build('RUN first\nRUN boom\nENV A=1')).rejects.toMatchObject({
      message,
      data: { step: 5, line: 5, exitCode: outputs[0] && 'exitCode' in outputs[0] ? outputs[0].exitCode : undefined },
    });
    const { text } = await build('RUN first\nRUN other');
    expect(text.match(/Using cache/g)).toHaveLength(3);
    expect(requests.map(({ argv }) => argv.at(-1))).toEqual(['first', 'boom', 'other']);
  });

  it('that cannot be started says so with its own kind', async () => {
    act = () => {
      throw denied('no such luck', { hint: 'Ask again.' });
    };
    await expect(build('RUN ["sh"]')).rejects.toMatchObject({
      kind: 'denied',
      message: 'RUN failed: no such luck',
      hint: 'Ask again.',
    });
  });

  it('without a shell in the image says what can be done', async () => {
    await expect(test.build({ Dockerfile: 'FROM scratch\nSHELL ["/bin/ash", "-c"]\nRUN x' })).rejects.toMatchObject({
      message: 'RUN failed: the image has no shell: /bin/ash is not in it',
      hint: expect.stringContaining('RUN ["program.wasm", "argument"]'),
    });
  });
});
