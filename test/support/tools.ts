import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

function has(tool: string, found: boolean): boolean {
  if (!found && process.env['CI'] === 'true') throw new Error(`${tool} is missing: .ci/run must install it`);
  return found;
}

/** False when there is no docker CLI, so that the test is skipped. @throws under CI=true. */
export const hasDocker = (): boolean => has('docker', spawnSync('docker', ['--version']).status === 0);

/** False when there is no util-linux `script`, which gives a program a terminal. @throws under CI=true. */
export const hasScript = (): boolean => has('script', spawnSync('script', ['--version']).status === 0);

/** False when docker-registry, skopeo or openssl is missing. @throws under CI=true. */
export const hasRegistryTools = (): boolean =>
  has('docker-registry', spawnSync('docker-registry', ['--version']).status === 0) &&
  has('skopeo', spawnSync('skopeo', ['--version']).status === 0) &&
  has('openssl', spawnSync('openssl', ['version']).status === 0);

const chromiums = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Path of a Chromium, or undefined, so that the test is skipped. @throws under CI=true. */
export function chromiumPath(): string | undefined {
  const path = process.env['CHROMIUM'] ?? chromiums.find((candidate) => existsSync(candidate));
  has('chromium', path !== undefined);
  return path;
}
