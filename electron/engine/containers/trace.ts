/** The trace of a container: its switch, and its lines as calls. */
import type { RunSpec, TraceReading } from '../../supervisor/protocol.ts';
import type { TraceCall, TraceView } from '../api/index.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';

/** `--label drydock.trace=1`. */
const TRACE_LABEL = 'drydock.trace';

const labelled = (labels: Readonly<Record<string, string>>): boolean =>
  /^(1|true|on|yes)$/i.test(labels[TRACE_LABEL] ?? '');

/** For RunSpec: what the switch says, which the label sets first. */
export function traceOf({ tracing, record }: Container): Pick<RunSpec, 'trace'> {
  return (tracing ?? labelled(record.config.labels)) ? { trace: 'on' } : {};
}

/** @throws notFound */
export async function trace(
  { store }: Pick<Context, 'store'>,
  ref: string,
  { on, since }: { readonly on?: boolean; readonly since?: number },
): Promise<TraceView> {
  const container = store.find(ref);
  if (on !== undefined) container.tracing = on;
  const wanted = container.tracing ?? labelled(container.record.config.labels);
  const run = container.active?.run;
  const reading = run
    ? await run.trace({ ...(on === undefined ? {} : { on }), ...(since === undefined ? {} : { since }) })
    : undefined;
  if (reading) return { state: reading.on ? 'on' : 'off', ...viewOf(reading) };
  const state = !wanted ? 'off' : run ? 'later' : 'on';
  const { lastTrace } = container;
  if (run || !lastTrace || lastTrace.head === since) return { state, calls: [], next: since ?? 0, lost: false };
  return { state, ...viewOf(lastTrace) };
}

const viewOf = ({ text, head, lost }: TraceReading): Omit<TraceView, 'state'> => ({
  calls: text.split('\n').flatMap((line) => callOf(line) ?? []),
  next: head,
  lost,
});

/** A line is whole or absent; what cannot be read is left out. */
function callOf(line: string): TraceCall | undefined {
  if (line === '') return undefined;
  try {
    const { t, d, f, a, r, o = '' } = JSON.parse(line) as Record<'t' | 'f' | 'a' | 'r' | 'o', string> & { d: number };
    return { time: BigInt(t), took: d, name: f, args: a, result: r, given: o };
  } catch {
    return undefined;
  }
}
