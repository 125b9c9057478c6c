import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileOf, pageFiles } from './protocol.ts';

let root: string;
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-page-'));
  root = join(directory, 'renderer');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<p>page');
  writeFileSync(join(root, 'assets', 'a b.js'), 'code');
  writeFileSync(join(root, 'assets', 'secret.exe'), 'MZ');
  writeFileSync(join(root, '.hidden.js'), 'hidden');
  writeFileSync(join(directory, 'outside.js'), 'outside');
});
afterAll(() => rmSync(directory, { recursive: true }));

test('gives the files of the page, typed, with the policy', async () => {
  const serve = pageFiles(root);
  const page = await serve(new Request('drydock://app/'));
  expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
    200,
    'text/html; charset=utf-8',
    '<p>page',
  ]);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
  expect(page.headers.get('content-security-policy')).not.toContain('wasm-unsafe-eval');
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  const script = await serve(new Request('drydock://app/assets/a%20b.js?x=1#y'));
  expect([script.status, script.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
});

test.each([
  'drydock://app/../outside.js',
  'drydock://app/%2e%2e/outside.js',
  'drydock://app/..%2foutside.js',
  'drydock://app/assets/..%2f..%2foutside.js',
  'drydock://app/..%5coutside.js',
  'drydock://app/.hidden.js',
  'drydock://app/assets/secret.exe',
  'drydock://app/assets',
  'drydock://app/missing.js',
  'drydock://app/%ff.js',
  'drydock://app/index.html%00.js',
  'drydock://other/index.html',
])('%s is not there', async (url) => {
  expect((await pageFiles(root)(new Request(url))).status).toBe(404);
});

test('only GET', async () => {
  expect((await pageFiles(root)(new Request('drydock://app/', { method: 'POST', body: 'x' }))).status).toBe(405);
});

test('an absolute path in a name stays below the root', () => {
  expect(fileOf('/r', 'drydock://app//etc/passwd')).toBe(join('/r', 'etc', 'passwd'));
  expect(fileOf('/r', 'drydock://app/C:/x.js')).toBeUndefined();
});
