import { isAbsolute } from 'node:path';

/** "/run/x.sock" → "unix:///run/x.sock"; a pipe's name → "npipe:////./pipe/x": what the docker CLI takes in DOCKER_HOST. */
export function dockerHostOf(socketPath: string): string {
  return socketPath.startsWith('\\\\') ? `npipe://${socketPath.replaceAll('\\', '/')}` : `unix://${socketPath}`;
}

/** The way back; undefined when it is neither a pipe nor an absolute path behind unix://. */
export function socketPathOf(dockerHost: string): string | undefined {
  if (dockerHost.startsWith('npipe://')) return dockerHost.slice('npipe://'.length).replaceAll('/', '\\');
  const path = dockerHost.startsWith('unix://') ? dockerHost.slice('unix://'.length) : '';
  return isAbsolute(path) ? path : undefined;
}
