import { describe, expect, it } from 'vitest';
import { expandText, expandWord, expandWords } from './expand.ts';

const variables = new Map([
  ['X', 'value'],
  ['EMPTY', ''],
  ['TWO', 'a b'],
]);

// After buildkit's frontend/dockerfile/shell/envVarTest.
const words: [string, string][] = [
  ['hello', 'hello'],
  ["he'll'o", 'hello'],
  ["he'll\\'o", 'hell\\o'],
  ['he"ll"o', 'hello'],
  ['he\\ llo', 'he llo'],
  ['he\\\\llo', 'he\\llo'],
  ['hello\\', 'hello\\'],
  ['"hello\\""', 'hello"'],
  ['"he\\lo"', 'he\\lo'],
  ["'$X'", '$X'],
  ['"$X"', 'value'],
  ['"\\$X"', '$X'],
  ['\\$X', '$X'],
  ['$X', 'value'],
  ['$Xs', ''],
  ['${X}s', 'values'],
  ['a$X.b', 'avalue.b'],
  ['$', '$'],
  ['a$', 'a$'],
  ['$UNSET', ''],
  ['${UNSET:-d}', 'd'],
  ['${EMPTY:-d}', 'd'],
  ['${EMPTY-d}', ''],
  ['${UNSET-d}', 'd'],
  ['${X:-d}', 'value'],
  ['${X:+d}', 'd'],
  ['${UNSET:+d}', ''],
  ['${EMPTY:+d}', ''],
  ['${EMPTY+d}', 'd'],
  ['${UNSET:-${X}s}', 'values'],
  ['${UNSET:-"a b"}', 'a b'],
  ['${UNSET:-\\}}', '}'],
  ['${X:?must}', 'value'],
  ['$TWO', 'a b'],
  ['é$X', 'évalue'],
];

const broken: [string, string][] = [
  ["'abc", 'unexpected end of statement while looking for matching single-quote'],
  ['"abc', 'unexpected end of statement while looking for matching double-quote'],
  ['${X', "missing '}'"],
  ['${X:-a', "missing '}'"],
  ['${}', 'bad substitution'],
  ['${X:=a}', 'unsupported modifier (=) in substitution'],
  ['${UNSET:?tell me}', 'UNSET: tell me'],
];

describe('expand', () => {
  it.each(words)('%s gives %j', (word, expected) => {
    expect(expandWord(word, variables, '\\')).toBe(expected);
  });

  it.each(broken)('%s is refused: %s', (word, message) => {
    expect(() => expandWord(word, variables, '\\')).toThrow(message);
    expect(() => expandWord(word, variables, '\\')).toThrow('failed to process');
  });

  it('knows another escape character', () => {
    expect(expandWord('a`$X\\$X', variables, '`')).toBe('a$X\\value');
  });

  it('cuts words where a variable brings blanks, but not inside quotes', () => {
    expect(expandWords('$TWO "$TWO" c', variables, '\\')).toEqual(['a', 'b', 'a b', 'c']);
    expect(expandWords('  $EMPTY ', variables, '\\')).toEqual([]);
    expect(expandWords('x$TWO', variables, '\\')).toEqual(['xa', 'b']);
  });

  it('leaves quotes in a text alone', () => {
    expect(expandText('say "$X" and \'$X\' \\$X \\n', variables, '\\')).toBe('say "value" and \'value\' $X \\n');
  });
});
