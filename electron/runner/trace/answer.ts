import type { FromRunner, ToRunner, TraceReading } from '../../supervisor/protocol.ts';
import type { TraceRing } from './trace-ring.ts';

/** The ring as the engine is told of it; undefined when there is none. */
export const readingOf = (ring: TraceRing | undefined, since?: number): TraceReading | undefined =>
  ring && { on: ring.on, ...ring.read(since) };

/** Switches the ring when that is asked, and reads it. */
export function answerTrace(
  ring: TraceRing | undefined,
  { id, seq, on, since }: Extract<ToRunner, { t: 'trace' }>,
): FromRunner {
  if (ring && on !== undefined) ring.on = on;
  const trace = readingOf(ring, since);
  return { t: 'traced', id, seq, ...(trace ? { trace } : {}) };
}
