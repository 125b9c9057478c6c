import { describe, expect, it } from 'vitest';
import { decodeName, encodeName, nameLength } from './name-bytes.ts';

describe('names as bytes', () => {
  it.each([
    ['ascii', [0x61, 0x62]],
    ['UTF-8', [...Buffer.from('ünï-💀-字')]],
    ['Latin-1', [0x66, 0xfc, 0x72]],
    ['a cut character', [0xe5, 0xad, 0x2e]],
    ['a cut character at the end', [0x61, 0xf0, 0x9f, 0x92]],
    ['a surrogate written as UTF-8', [0xed, 0xb2, 0x80]],
    ['an overlong dot', [0xc0, 0xae]],
    ['all that is no ASCII', Array.from({ length: 128 }, (_, index) => 128 + index)],
    ['bytes beside characters', [...Buffer.from('💀'), 0x80, ...Buffer.from('💀'), 0xff]],
  ])('come back as they were: %s', (_what, bytes) => {
    const name = decodeName(Uint8Array.from(bytes));
    expect([...Buffer.from(encodeName(name) as string)]).toEqual(bytes);
    expect(nameLength(name)).toBe(bytes.length);
    // What is said of a name never holds a separator or a dot that was not there.
    for (const sign of ['/', '.', '\0']) expect(name.includes(sign)).toBe(bytes.includes(sign.charCodeAt(0)));
  });

  it('are left alone when they are UTF-8', () => {
    for (const name of ['a', 'ü', '💀', '']) expect(encodeName(name)).toBe(name);
    expect(Buffer.isBuffer(encodeName('\udc80'))).toBe(true);
  });
});
