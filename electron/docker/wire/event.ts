import type { EngineEvent } from '../../engine/api/index.ts';

/** One event as a line. Written by hand at its end, because timeNano is beyond what a JSON number of JavaScript can hold. */
export function eventLine(event: EngineEvent): string {
  const { type, action, actorId, attributes, timeNano } = event;
  const old =
    type === 'container' || type === 'image'
      ? {
          status: action,
          id: actorId,
          ...(type === 'container' && attributes['image'] ? { from: attributes['image'] } : {}),
        }
      : {};
  const json = JSON.stringify({
    ...old,
    Type: type,
    Action: action,
    Actor: { ID: actorId, Attributes: attributes },
    scope: 'local',
    time: Number(timeNano / 1_000_000_000n),
  });
  return `${json.slice(0, -1)},"timeNano":${timeNano}}\n`;
}
