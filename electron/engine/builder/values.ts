import { invalid } from '../../base/errors.ts';

/** `80`, `80/udp`, `8000-8002/tcp` → "80/tcp", … @throws invalid in moby's words */
export function exposedPorts(text: string): string[] {
  const match = /^(?:.*:)?(\d+)(?:-(\d+))?(?:\/([A-Za-z]+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  if (!match || first > 65_535 || last > 65_535 || last < first) throw invalid(`invalid containerPort: ${text}`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw invalid(`invalid proto: ${protocol}`);
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
}

const units: Readonly<Record<string, number>> = {
  h: 3_600_000_000_000,
  m: 60_000_000_000,
  s: 1_000_000_000,
  ms: 1_000_000,
  us: 1000,
  µs: 1000,
  ns: 1,
};

/** A Go duration (`1m30s`) in nanoseconds. @throws invalid */
export function duration(text: string, what: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g)];
  const isWhole = parts.map((part) => part[0]).join('') === text && text !== '';
  if (text === '0') return 0;
  if (!isWhole) throw invalid(`invalid duration "${text}" for ${what}`, { hint: 'Write it like 30s or 1m30s.' });
  const sum = parts.reduce((total, part) => total + Number(part[1]) * (units[part[2] ?? ''] ?? 0), 0);
  if (sum > 0 && sum < 1_000_000) throw invalid(`Interval "${what}" cannot be less than 1ms`);
  return Math.round(sum);
}

/** Octal permission bits of `--chmod`. @throws invalid in BuildKit's words */
export function chmodMode(text: string): number {
  if (!/^0*[0-7]{1,4}$/.test(text))
    throw invalid(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`);
  return Number.parseInt(text, 8);
}

/** `SIGTERM`, `term`, `15`. @throws invalid in moby's words */
export function checkSignal(text: string): void {
  const isNumber = /^\d+$/.test(text);
  if (isNumber ? Number(text) < 1 || Number(text) > 64 : !/^(SIG)?(RTM(IN|AX)([+-]\d+)?|[A-Z]{2,6}[0-9]?)$/i.test(text))
    throw invalid(`Invalid signal: ${text}`);
}

/** As a list of `KEY=value`, where a later value takes the place of an earlier one. */
export function withEnv(env: readonly string[], key: string, value: string): string[] {
  const at = env.findIndex((entry) => entry.startsWith(`${key}=`));
  const entry = `${key}=${value}`;
  return at < 0 ? [...env, entry] : env.with(at, entry);
}
