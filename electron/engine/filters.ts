import { invalid } from '../base/errors.ts';

/** True when every wanted `key` or `key=value` is among the labels (label values are ANDed). */
export function labelsMatch(wanted: readonly string[] | undefined, labels: Readonly<Record<string, string>>): boolean {
  return (wanted ?? []).every((want) => {
    const at = want.indexOf('=');
    return at < 0 ? want in labels : labels[want.slice(0, at)] === want.slice(at + 1);
  });
}

/** `label` and `label!` together, as prune filters have them. */
export function pruneLabelsMatch(
  filters: ReadonlyMap<string, readonly string[]>,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (!labelsMatch(filters.get('label'), labels)) return false;
  return (filters.get('label!') ?? []).every((want) => !labelsMatch([want], labels));
}

/** `until` of prune filters in ms since the epoch: RFC 3339, epoch seconds, or a Go duration before now. Undefined = no bound. @throws invalid */
export function untilOf(filters: ReadonlyMap<string, readonly string[]>, now = Date.now()): number | undefined {
  const text = filters.get('until')?.[0];
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|m(?!s)|s|ms)/g)];
  if (parts.length > 0 && parts.map((part) => part[0]).join('') === text) {
    const unit: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
    return now - parts.reduce((sum, part) => sum + Number(part[1]) * (unit[part[2] ?? ''] ?? 0), 0);
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw invalid(`invalid filter 'until=${text}': neither a time nor a duration`);
  return time;
}
