import { invalid } from '../../base/errors.ts';
import type { LogSpec } from '../../supervisor/protocol.ts';

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `--log-opt max-size=10m max-file=3` of json-file as the runner's writer takes them. @throws invalid */
export function logSpec(directory: string, options: Readonly<Record<string, string>>): LogSpec {
  const file = options['max-file'];
  const maxFiles = file === undefined ? 1 : Number(file);
  if (!Number.isInteger(maxFiles) || maxFiles < 1) throw invalid(`invalid value for log opt max-file: ${file ?? ''}`);
  const size = options['max-size'];
  if (size === undefined || size === '-1') return { directory, maxFiles };
  const match = /^(\d+(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?$/i.exec(size);
  const maxSize = match ? Math.floor(Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 0)) : 0;
  if (maxSize < 1) throw invalid(`invalid value for log opt max-size: ${size}`);
  return { directory, maxFiles, maxSize };
}
