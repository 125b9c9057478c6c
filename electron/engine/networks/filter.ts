import { invalid } from '../../base/errors.ts';
import type { Filters, NetworkView } from '../api/index.ts';
import { labelsMatch } from '../filters.ts';

export const predefined = ['bridge', 'host', 'none'] as const;
export const isPredefined = (name: string): boolean => (predefined as readonly string[]).includes(name);

/** docker-api.md §10: name is a substring, id a prefix. `dangling`: user-defined without members. @throws invalid */
export function networkListed(view: NetworkView, filters: Filters): boolean {
  const any = (key: string, test: (value: string) => boolean): boolean => {
    const values = filters.get(key) ?? [];
    return values.length === 0 || values.some(test);
  };
  return (
    any('name', (name) => view.name.includes(name)) &&
    any('id', (id) => view.id.startsWith(id)) &&
    any('driver', (driver) => view.driver === driver) &&
    any('scope', (scope) => scope === 'local') &&
    any('type', (type) => {
      if (type !== 'custom' && type !== 'builtin') throw invalid(`invalid filter: 'type'='${type}'`);
      return (type === 'builtin') === isPredefined(view.name);
    }) &&
    any('dangling', (want) => {
      if (!['1', '0', 'true', 'false'].includes(want)) throw invalid(`invalid filter 'dangling=${want}'`);
      const dangling = !isPredefined(view.name) && view.containers.length === 0;
      return (want === '1' || want === 'true') === dangling;
    }) &&
    labelsMatch(filters.get('label'), view.labels)
  );
}
