import { expect, test } from 'vitest';
import { formatPlace, parsePlace } from './route.svelte.ts';

test('places survive the address bar', () => {
  for (const place of [
    { page: 'containers' },
    { page: 'settings' },
    { page: 'containers', id: '4f1c', tab: 'logs' },
    { page: 'images', id: 'sha256:4f1c', tab: 'module' },
  ] as const)
    expect(parsePlace(formatPlace(place))).toEqual(place);
});

test('an unknown place is the list of containers, an unknown tab the first', () => {
  expect(parsePlace('')).toEqual({ page: 'containers' });
  expect(parsePlace('#/kubernetes')).toEqual({ page: 'containers' });
  expect(parsePlace('#/containers/%E0%A4%A/logs')).toEqual({ page: 'containers' });
  expect(parsePlace('#/containers/4f1c/nothing')).toEqual({ page: 'containers', id: '4f1c', tab: 'overview' });
});
