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

/** Octal permission bits of `--chmod`. @throws invalid in BuildKit's words */
export function chmodMode(text: string): number {
  if (!/^0*[0-7]{1,4}$/.test(text))
    throw invalid(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`);
  return Number.parseInt(text, 8);
}

/** As a list of `KEY=value`, where a later value takes the place of an earlier one. */
export function withEnv(env: readonly string[], key: string, value: string): string[] {
  const at = env.findIndex((entry) => entry.startsWith(`${key}=`));
  const entry = `${key}=${value}`;
  return at < 0 ? [...env, entry] : env.with(at, entry);
}
