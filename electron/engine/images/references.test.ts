import { describe, expect, it } from 'vitest';
import { familiar, familiarRepository, normalise, parseReference } from './references.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('references', () => {
  it.each([
    ['t', 'docker.io/library/t:latest', 't:latest'],
    ['t:1', 'docker.io/library/t:1', 't:1'],
    ['me/t', 'docker.io/me/t:latest', 'me/t:latest'],
    ['docker.io/library/t:x', 'docker.io/library/t:x', 't:x'],
    ['index.docker.io/t', 'docker.io/library/t:latest', 't:latest'],
    ['localhost/t', 'localhost/t:latest', 'localhost/t:latest'],
    ['127.0.0.1:5000/t:1', '127.0.0.1:5000/t:1', '127.0.0.1:5000/t:1'],
    ['ghcr.io/a/b/c:v1.2-x', 'ghcr.io/a/b/c:v1.2-x', 'ghcr.io/a/b/c:v1.2-x'],
    [`t@${digest}`, `docker.io/library/t@${digest}`, `t@${digest}`],
    [`t:1@${digest}`, `docker.io/library/t:1@${digest}`, `t:1@${digest}`],
    ['a__b-c.d', 'docker.io/library/a__b-c.d:latest', 'a__b-c.d:latest'],
  ])('%s is stored as %s and shown as %s', (text, full, short) => {
    expect(normalise(text)).toBe(full);
    expect(familiar(full)).toBe(short);
    expect(normalise(short)).toBe(full);
  });

  it.each(['', ':', 't:', 't:a b', '-t', 't/', '/t', 'a//b', 't@sha256:1', 'a..b', `t:${'x'.repeat(129)}`, 'a b'])(
    'refuses %j',
    (text) => {
      expect(() => parseReference(text)).toThrow('invalid reference format');
    },
  );

  it('says that a repository must be lower case, as moby does', () => {
    expect(() => parseReference('Foo')).toThrow('repository name (Foo) must be lowercase');
  });

  it('refuses a bare id as a name', () => {
    expect(() => parseReference('b'.repeat(64))).toThrow('cannot specify 64-byte hexadecimal strings');
  });

  it('keeps the organisation called library from swallowing deeper paths', () => {
    expect(familiarRepository(parseReference('library/a/b'))).toBe('library/a/b');
    expect(normalise('library/a/b')).toBe('docker.io/library/a/b:latest');
  });
});
