import { ORPCError } from '@orpc/client';
import { expect, test } from 'vitest';
import { asFailure } from './failure.ts';
import { LinkClosedError } from './guard.ts';

test('the engine’s own failure keeps its sentence and hint', () => {
  const data = { kind: 'conflict', message: 'The name "web" is taken.', hint: 'Choose another name.' } as const;
  expect(asFailure(new ORPCError('DRYDOCK', { data }))).toEqual(data);
});

test('a refused input names the field', () => {
  const error = new ORPCError('BAD_REQUEST', {
    message: 'Input validation failed',
    data: { issues: [{ path: ['ports', 0, 'port'], message: 'Too small' }] },
  });
  expect(asFailure(error)).toEqual({
    kind: 'invalid',
    message: 'Input validation failed (ports.0.port: Too small)',
  });
});

test('a closed link is unavailable, anything else is internal and keeps its text', () => {
  expect(asFailure(new LinkClosedError()).kind).toBe('unavailable');
  expect(asFailure(new Error('boom'))).toEqual({ kind: 'internal', message: 'boom' });
  expect(asFailure('boom')).toEqual({ kind: 'internal', message: 'boom' });
});
