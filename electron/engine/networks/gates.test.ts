import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Gates } from './gates.ts';

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'drydock-gates-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

const listens = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(path, () => server.close(() => resolve(true)));
  });

test.skipIf(process.platform === 'win32')('gates are different paths in a directory of ours alone', async () => {
  const gates = new Gates(join(home, 'net'));
  const [a, b] = [gates.next(), gates.next()];
  expect(a).not.toBe(b);
  expect(dirname(a)).toBe(join(home, 'net'));
  expect(statSync(dirname(a)).mode & 0o777).toBe(0o700);
  expect(await listens(a)).toBe(true);
  writeFileSync(b, '');
  gates.remove(b);
  gates.remove(b);
  expect(existsSync(b)).toBe(false);
  gates.close();
  expect(existsSync(dirname(a))).toBe(false);
});

test.skipIf(process.platform === 'win32')('a home with a long path has its gates elsewhere, as private', async () => {
  const deep = join(home, 'x'.repeat(60), 'y'.repeat(60));
  mkdirSync(deep, { recursive: true });
  const gates = new Gates(join(deep, 'net'));
  const gate = gates.next();
  expect(gate.startsWith(deep)).toBe(false);
  expect(statSync(dirname(gate)).mode & 0o777).toBe(0o700);
  expect(await listens(gate)).toBe(true);
  const next = new Gates(join(deep, 'net')).next(); // after a kill
  expect(existsSync(dirname(gate))).toBe(false);
  expect(dirname(next)).not.toBe(dirname(gate));
  rmSync(dirname(next), { recursive: true });
});

test('named pipes on Windows', () => {
  const gates = new Gates('C:\\x', 'win32');
  expect(gates.next()).toMatch(/^\\\\\.\\pipe\\drydock-[0-9a-f]{32}-1$/);
  gates.remove(gates.next());
  gates.close();
});
