import { expect, test } from 'vitest';
import { findJspi } from './jspi.ts';

test('there, or not', () => {
  expect(findJspi()).toBe(WebAssembly);
  expect(findJspi({})).toBeUndefined();
  expect(findJspi({ promising: () => undefined })).toBeUndefined();
});
