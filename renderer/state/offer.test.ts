import { expect, test } from 'vitest';
import { judge, takes } from './offer.ts';

test('a file is told by its name, a drag by its types', () => {
  expect(['hello.wasm', 'HELLO.WASM', 'hello.wat', 'wasm'].map(takes)).toEqual([true, true, false, false]);
  const file = (type: string): { kind: string; type: string } => ({ kind: 'file', type });
  expect(judge([file('application/wasm')]).kind).toBe('run');
  // A system that does not know .wasm says nothing.
  expect(judge([file('')]).kind).toBe('run');
  expect(judge([file('application/pdf')]).kind).toBe('refuse');
  expect(judge([file('application/pdf'), file('application/wasm')]).kind).toBe('run');
  expect(judge([{ kind: 'string', type: 'text/plain' }]).kind).toBe('unknown');
});
