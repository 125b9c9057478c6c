import { expect, test } from 'vitest';
import { isExternalLink, isOwnPage, mayHave } from './security.ts';

test.each(['drydock://app/index.html', 'drydock://app/', 'drydock://app/index.html#/images'])(
  '%s is our page',
  (url) => {
    expect(isOwnPage(url)).toBe(true);
  },
);

test.each([
  undefined,
  '',
  'about:blank',
  'drydock://evil/index.html',
  'drydock://app.evil/index.html',
  'drydock://app@evil/index.html',
  'drydock://evil@app/index.html',
  'https://app/index.html',
  'file:///index.html',
  'drydock:app',
  'data:text/html,drydock://app/',
])('%s is not', (url) => {
  expect(isOwnPage(url)).toBe(false);
});

test.each([
  'https://example.org/a?b#c',
  'mailto:somebody@example.org',
  'http://127.0.0.1:8080/',
  'http://[::1]:8080',
  'http://localhost:1/x',
])('%s may be opened outside', (url) => {
  expect(isExternalLink(url)).toBe(true);
});

test.each([
  'http://example.org',
  'http://example.org:8080',
  'http://127.0.0.1/',
  'http://127.0.0.1.example.org:8080/',
  'http://localhost@example.org:8080/',
  'http://u:p@127.0.0.1:8080/',
  'http://10.0.0.1:8080/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'smb://host/share',
  'ms-msdt:/id',
  'https:///',
  'https://user:secret@example.org/',
  'drydock://app/',
  'not a url',
  '',
])('%s may not', (url) => {
  expect(isExternalLink(url)).toBe(false);
});

test('only copying is permitted', () => {
  expect(
    ['clipboard-sanitized-write', 'clipboard-read', 'media', 'geolocation', 'notifications'].filter(mayHave),
  ).toEqual(['clipboard-sanitized-write']);
});
