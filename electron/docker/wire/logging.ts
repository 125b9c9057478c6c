import { invalid, unsupported } from '../../base/errors.ts';
import type { Fields } from './fields.ts';
import { parseSize } from './size.ts';

const known = new Set(
  'max-size max-file labels labels-regex env env-regex tag compress mode max-buffer-size'.split(' '),
);

/** `--log-driver` and `--log-opt`. Only the built-in log is there; 'none' keeps it too, since attach reads from it. @throws invalid, unsupported */
export function readLogOptions(host: Fields): {
  readonly options: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
} {
  const config = host.child('LogConfig');
  const type = config.text('Type') ?? '';
  const options = config.record('Config') ?? {};
  if (!['', 'json-file', 'local', 'none'].includes(type))
    throw unsupported(`logger: no log driver named '${type}' is registered`, { hint: 'use json-file or local' });
  for (const [key, value] of Object.entries(options)) {
    if (!known.has(key)) throw invalid(`unknown log opt '${key}' for json-file log driver`);
    if (key === 'max-size' && value !== '-1') parseSize(value, "invalid value for log opt 'max-size'");
    if (key === 'max-file' && !(Number(value) >= 1 && Number.isInteger(Number(value))))
      throw invalid(`invalid value for log opt 'max-file': ${JSON.stringify(value)} is not a number of files`);
  }
  return {
    options,
    warnings:
      type === 'none' ? ["--log-driver none has no effect: attached terminals read from the container's log"] : [],
  };
}

/** What `docker logs --details` puts before a line: labels and variables that the log options name, then a space. */
export function logDetails(
  options: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
  env: readonly string[],
): string {
  const pairs: string[] = [];
  const add = (key: string, value: string | undefined): void => {
    if (value !== undefined) pairs.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  };
  for (const key of names(options['labels'])) add(key, labels[key]);
  for (const key of names(options['env'])) {
    const entry = env.find((each) => each.startsWith(`${key}=`));
    add(key, entry?.slice(key.length + 1));
  }
  return `${pairs.sort().join(',')} `;
}

const names = (text: string | undefined): readonly string[] => (text ? text.split(',').filter(Boolean) : []);
