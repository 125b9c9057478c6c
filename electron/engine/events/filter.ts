/** The filters of `GET /events` (docker-api.md §3; moby daemon/events/filter.go): keys are ANDed, values of a key ORed, labels ANDed. */
import type { EngineEvent, Filters } from '../api/index.ts';
import { labelsMatch } from '../filters.ts';

export function eventMatches(event: EngineEvent, filters: Filters): boolean {
  for (const [key, values] of filters) {
    if (values.length > 0 && !keyMatches(event, key, values)) return false;
  }
  return true;
}

function keyMatches(event: EngineEvent, key: string, values: readonly string[]): boolean {
  switch (key) {
    case 'type':
      return values.includes(event.type);
    case 'event':
      // "exec_create" stands for "exec_create: CMD" as well.
      return values.includes(event.action) || values.includes(event.action.split(':', 1)[0] ?? '');
    case 'container':
    case 'volume':
    case 'network':
    case 'daemon':
      return event.type === key && values.some((value) => names(event, value));
    case 'image':
      return values.some((value) => imageMatches(event, value));
    case 'label':
      return labelsMatch(values, event.attributes);
    case 'scope':
      return values.includes('local');
    default:
      return false;
  }
}

/** Id or a prefix of it, or the name; "/x" is "x". */
function names(event: EngineEvent, value: string): boolean {
  const wanted = value.startsWith('/') && event.type === 'container' ? value.slice(1) : value;
  return wanted !== '' && (event.actorId.startsWith(wanted) || event.attributes.name === wanted);
}

function imageMatches(event: EngineEvent, value: string): boolean {
  const name = event.type === 'image' ? (event.attributes.name ?? event.actorId) : event.attributes.image;
  if (event.type !== 'image' && event.type !== 'container') return false;
  if (name === undefined) return false;
  return [name, event.type === 'image' ? event.actorId : name].some(
    (have) => have === value || untagged(have) === value,
  );
}

const untagged = (reference: string): string => reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
