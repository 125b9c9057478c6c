import { invalid } from '../base/errors.ts';

export const MAX_API_VERSION = '1.50';
export const MIN_API_VERSION = '1.24';

/** True when API version `a` is `b` or newer. Both "major.minor". */
export function atLeast(a: string, b: string): boolean {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor === bMajor ? aMinor >= bMinor : aMajor > bMajor;
}

/**
 * Splits `/v1.41/containers/json` into version and route; a path without version means our maximum.
 * @throws invalid with moby's texts when the version is outside the range (the CLI and docker-py show them as they are)
 */
export function splitVersion(path: string): { readonly version: string; readonly path: string } {
  const match = /^\/v([0-9.]+)(\/.*)$/.exec(path);
  if (!match?.[1] || !match[2]) return { version: MAX_API_VERSION, path };
  const version = match[1];
  if (!atLeast(version, MIN_API_VERSION))
    throw invalid(
      `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
    );
  if (!atLeast(MAX_API_VERSION, version))
    throw invalid(`client version ${version} is too new. Maximum supported API version is ${MAX_API_VERSION}`);
  return { version, path: match[2] };
}
