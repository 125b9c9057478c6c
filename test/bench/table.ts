/** One line of a benchmark's table. */
export interface Row {
  readonly what: string;
  readonly p50: number;
  readonly p99?: number;
  readonly n: number;
  readonly unit: 'ms' | 'MB/s' | 'MB' | 'x' | '/s';
  /** "≤ 1" or "≥ 150": against p50, or against p99 when `goalFor` says so. */
  readonly goal?: string;
  readonly goalP99?: string;
}

/** The q-quantile (0–1) of the samples, nearest rank. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? NaN;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** A row of times in ms. */
export const times = (what: string, samples: readonly number[], goals: Pick<Row, 'goal' | 'goalP99'> = {}): Row => ({
  what,
  p50: median(samples),
  p99: quantile(samples, 0.99),
  n: samples.length,
  unit: 'ms',
  ...goals,
});

function holds(value: number | undefined, goal: string | undefined): boolean {
  if (goal === undefined || value === undefined) return true;
  const limit = Number(goal.slice(1));
  return goal.startsWith('≤') ? value <= limit : value >= limit;
}

const figure = (value: number | undefined): string =>
  value === undefined ? '' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** Prints the rows; returns how many goals were missed. */
export function print(title: string, rows: readonly Row[]): number {
  let missed = 0;
  const cells = rows.map((row) => {
    const ok = holds(row.p50, row.goal) && holds(row.p99, row.goalP99);
    if (!ok) missed++;
    const goals = [row.goal && `p50 ${row.goal}`, row.goalP99 && `p99 ${row.goalP99}`].filter(Boolean).join(', ');
    return [
      row.what,
      figure(row.p50),
      figure(row.p99),
      row.unit,
      String(row.n),
      goals,
      goals ? (ok ? 'ok' : 'MISSED') : '',
    ];
  });
  const head = ['', 'p50', 'p99', 'unit', 'n', 'goal', ''];
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((line) => line[i]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const line of [head, ...cells]) {
    console.log(
      `  ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`,
    );
  }
  return missed;
}
