/** Where things live on each system, when nobody says otherwise. */
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

export interface PathSources {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly userHome: string;
}

const here = (): PathSources => ({ platform: process.platform, env: process.env, userHome: homedir() });

/**
 * The engine's data root. DRYDOCK_HOME overrides it; else XDG_DATA_HOME on Linux (relative values are ignored, as the XDG base directory
 * specification asks), Application Support on macOS, LOCALAPPDATA on Windows.
 */
export function defaultHome(sources: PathSources = here()): string {
  const { platform, env, userHome } = sources;
  if (env.DRYDOCK_HOME) return env.DRYDOCK_HOME;
  if (platform === 'win32') return win32.join(env.LOCALAPPDATA || win32.join(userHome, 'AppData', 'Local'), 'Drydock');
  if (platform === 'darwin') return posix.join(userHome, 'Library', 'Application Support', 'Drydock');
  const data = env.XDG_DATA_HOME;
  return posix.join(data && posix.isAbsolute(data) ? data : posix.join(userHome, '.local', 'share'), 'drydock');
}

/**
 * Where the Docker API listens: a path, or a named pipe on Windows. Kept short because a socket's path may have 104 (macOS) to 108 (Linux)
 * bytes: "Application Support" alone would use a fifth of it.
 */
export function defaultSocket(sources: PathSources = here()): string {
  const { platform, env, userHome } = sources;
  if (platform === 'win32') return '\\\\.\\pipe\\drydock';
  const runtime = env.XDG_RUNTIME_DIR;
  if (platform !== 'darwin' && runtime && posix.isAbsolute(runtime))
    return posix.join(runtime, 'drydock', 'docker.sock');
  return posix.join(userHome, '.drydock', 'docker.sock');
}
