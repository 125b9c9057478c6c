import { describe, expect, it } from 'vitest';
import { parseDockerfile } from './stages.ts';
import { readLines } from './lines.ts';

const textOf = (source: string) => readLines(source).lines.map(({ line, text }) => [line, text]);
const first = (source: string) => parseDockerfile(`FROM scratch\n${source}`).stages[0]?.steps[0];

describe('lines', () => {
  it('joins continued lines, drops comments and empty lines in them', () => {
    expect(textOf('\n# c\nFROM a\nRUN x \\\n  # in between\n\n  y \\  \n z\nCMD q\n')).toEqual([
      [3, 'FROM a'],
      [4, 'RUN x   y  z'],
      [9, 'CMD q'],
    ]);
  });

  it('joins without a blank, as Docker does', () => {
    expect(textOf('ENV A=b\\\nc')).toEqual([[1, 'ENV A=bc']]);
  });

  it('does not take an escaped escape for a continuation', () => {
    expect(textOf('RUN a \\\\\nRUN b')).toEqual([
      [1, 'RUN a \\\\'],
      [2, 'RUN b'],
    ]);
  });

  it('obeys the escape directive, and only at the top', () => {
    expect(textOf('# syntax=x\n# escape=`\nRUN a `\n b\\\nRUN c')).toEqual([
      [3, 'RUN a  b\\'],
      [5, 'RUN c'],
    ]);
    expect(textOf('# just a comment\n# escape=`\nRUN a \\\nb')).toEqual([[3, 'RUN a b']]);
    expect(() => readLines('# escape=x\nFROM a')).toThrow('invalid ESCAPE');
  });

  it('reads Windows line ends and a byte order mark', () => {
    expect(textOf('\uFEFFFROM a\r\nRUN b \\\r\n c\r\n')).toEqual([
      [1, 'FROM a'],
      [2, 'RUN b  c'],
    ]);
  });

  it('takes heredocs off', () => {
    const [line] = readLines('COPY <<-a.txt <<"b" /dir/\n\tone $X\na.txt\n two\nb\n').lines;
    expect(line).toMatchObject({
      text: 'COPY <<-a.txt <<"b" /dir/',
      heredocs: [
        { name: 'a.txt', expand: true, content: 'one $X\n', source: '\tone $X\na.txt\n' },
        { name: 'b', expand: false, content: ' two\n', source: ' two\nb\n' },
      ],
    });
    // Inside quotes it is text, in the exec form and elsewhere it is none either.
    expect(textOf('RUN echo "a <<b c"\nRUN ["x", "<<y"]\nCMD <<E\nRUN a <<<b')).toHaveLength(4);
    expect(() => readLines('FROM a\nCOPY <<E /x\nabc')).toThrow(
      'dockerfile parse error line 2: unterminated heredoc: E',
    );
  });

  it('refuses a file without instructions', () => {
    expect(() => readLines('# nothing\n\n')).toThrow('file with no instructions');
  });
});

describe('instructions', () => {
  it.each([
    ['FROM scratch\nFOO bar', 'dockerfile parse error line 2: unknown instruction: FOO'],
    ['FROM scratch\n\nfrobnicate', 'dockerfile parse error line 3: unknown instruction: FROBNICATE'],
    ['FROM', 'FROM requires either one or three arguments'],
    ['FROM a b', 'FROM requires either one or three arguments'],
    ['FROM a AS 1x', 'invalid name for build stage: "1x"'],
    ['LABEL a=b', 'no build stage in current context'],
    ['ARG A', 'no build stage in current context'],
    ['FROM a\nCOPY', 'COPY requires at least two arguments, but no arguments were provided'],
    ['FROM a\nCOPY x', 'COPY requires at least two arguments, but only one was provided'],
    ['FROM a\nCOPY --foo=1 x y', 'unknown flag: foo'],
    ['FROM a\nADD --from=x x y', 'unknown flag: from'],
    ['FROM a\nENV', 'ENV requires at least one argument'],
    ['FROM a\nENV A', 'ENV must have two arguments'],
    ['FROM a\nENV A=b C', 'can\'t find = in "C"'],
    ['FROM a\nLABEL =x', 'LABEL names can not be blank'],
    ['FROM a\nWORKDIR', 'WORKDIR requires exactly one argument'],
    ['FROM a\nSHELL bash', 'SHELL requires the arguments to be in JSON form'],
    ['FROM a\nONBUILD ONBUILD RUN x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['FROM a\nONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['FROM a\nONBUILD FOO x', 'dockerfile parse error line 2: unknown instruction: FOO'],
    ['FROM a\nHEALTHCHECK FOO', 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
    ['FROM a\nHEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['FROM a\nRUN', 'RUN requires at least one argument'],
    ['FROM a\nVOLUME [""]', 'VOLUME specified can not be an empty string'],
    ['FROM a\nVOLUME []', 'VOLUME requires at least one argument'],
    ['FROM a\nHEALTHCHECK --interval=5 CMD x', 'line 2: invalid duration "5" for interval'],
    ['FROM a\nHEALTHCHECK --interval=-5s CMD x', 'Interval "interval" cannot be less than 1ms'],
    ['FROM a\nHEALTHCHECK --start-interval=1us CMD x', 'Interval "start-interval" cannot be less than 1ms'],
    ['FROM a\nHEALTHCHECK --retries=-1 CMD x', '--retries must be at least 1 (not -1)'],
    ['FROM a\nHEALTHCHECK --foo=1 CMD x', 'unknown flag: foo'],
    ['FROM a\nRUN --mount=type=cache,target=/x y', 'line 2: the --mount option of RUN requires BuildKit'],
    ['FROM a\nRUN --security=insecure y', 'the --security option of RUN requires BuildKit'],
    ['FROM a\nRUN --network=host y', 'RUN --network=host is not allowed'],
    ['FROM a\nCOPY --parents x y/', 'the --parents option of COPY requires BuildKit'],
    ['FROM a\nCOPY --exclude=*.x . y/', 'the --exclude option of COPY requires BuildKit'],
    ['FROM a\nADD --keep-git-dir=true x y/', 'the --keep-git-dir option of ADD requires BuildKit'],
    ['FROM a\nONBUILD RUN --mount=type=cache,target=/x y', 'the --mount option of RUN requires BuildKit'],
  ])('%j is refused: %s', (source, message) => {
    expect(() => parseDockerfile(source)).toThrow(message);
  });

  it('tells the two forms of commands apart', () => {
    expect(first('CMD ["a", "b c"]')).toMatchObject({ command: { form: 'exec', args: ['a', 'b c'] } });
    expect(first('CMD a "b c"')).toMatchObject({ command: { form: 'shell', text: 'a "b c"' } });
    expect(first('CMD ["a", 1]')).toMatchObject({ command: { form: 'shell', text: '["a", 1]' } });
    expect(first('CMD []')).toMatchObject({ command: { form: 'exec', args: [] } });
  });

  it('cuts pairs at blanks outside quotes', () => {
    expect(first('LABEL "a b"=\'c d\' x=\\ y z=""')).toMatchObject({
      pairs: [
        ['"a b"', "'c d'"],
        ['x', '\\ y'],
        ['z', '""'],
      ],
    });
    expect(first('ENV KEY the rest  of it')).toMatchObject({ pairs: [['KEY', 'the rest  of it']] });
  });

  it('takes flags of steps', () => {
    expect(first('RUN --network=none x')).toMatchObject({ network: 'none', command: { text: 'x' } });
    expect(first('RUN ["x"]')).toMatchObject({ network: 'default' });
    expect(first('COPY --link --chmod=755 a b')).toMatchObject({ chmod: '755', sources: ['a'] });
    expect(first('HEALTHCHECK --interval=1h0.5s --start-interval=5s --retries=3 CMD x')).toMatchObject({
      times: { interval: 3_600_500_000_000, timeout: 0, startPeriod: 0, startInterval: 5_000_000_000, retries: 3 },
    });
  });

  it('keeps a heredoc in a trigger', () => {
    expect(first('ONBUILD COPY <<E /x\n a\nE\nENV A=1')).toMatchObject({ trigger: 'COPY <<E /x\n a\nE' });
  });

  it('takes names with blanks in JSON form', () => {
    expect(first('COPY --from=x --chown=1:1 ["a b", "c"]')).toMatchObject({
      from: 'x',
      sources: ['a b'],
      target: 'c',
    });
  });

  it('finds the target by name or number, and adds labels to it', () => {
    const source = 'ARG A=1\nFROM a AS One\nFROM b AS two\nENV x=y\nFROM c';
    expect(parseDockerfile(source, { target: 'ONE' }).stages).toHaveLength(1);
    expect(parseDockerfile(source, { target: '1' }).stages).toHaveLength(2);
    expect(() => parseDockerfile(source, { target: 'three' })).toThrow(
      'failed to reach build target three in Dockerfile',
    );
    const { stages, globals } = parseDockerfile(source, { target: 'two', labels: { z: "it's", a: '$x' } });
    expect(globals).toHaveLength(1);
    expect(stages.at(-1)?.steps.at(-1)).toMatchObject({ kind: 'LABEL', text: "LABEL a=$x z=it's" });
  });
});
