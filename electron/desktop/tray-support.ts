import { execFile } from 'node:child_process';

/** One question to the session bus, asked with whichever tool the desktop has. */
const watcher = 'org.kde.StatusNotifierWatcher';
const questions: readonly (readonly [command: string, args: readonly string[]])[] = [
  [
    'gdbus',
    [
      ...['call', '--session', '--timeout', '2', '--dest', 'org.freedesktop.DBus'],
      ...['--object-path', '/org/freedesktop/DBus', '--method', 'org.freedesktop.DBus.NameHasOwner', watcher],
    ],
  ],
  [
    'busctl',
    [
      ...['--user', '--timeout=2', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus'],
      ...['org.freedesktop.DBus', 'NameHasOwner', 's', watcher],
    ],
  ],
];

/**
 * Whether an icon in the tray would be seen. macOS and Windows always have one; on Linux somebody must own the StatusNotifierWatcher name on the
 * session bus (GNOME without its extension has nobody), and Electron does not tell. Nobody to ask counts as no: an app that hides where nobody finds
 * it is worse than one that ends.
 */
export async function hasTray(platform: NodeJS.Platform = process.platform): Promise<boolean> {
  if (platform !== 'linux') return true;
  for (const [command, args] of questions) {
    const answer = await ask(command, args);
    if (answer !== undefined) return /\btrue\b/.test(answer);
  }
  return false;
}

/** The tool's answer; undefined when it is not there or finds no bus. */
function ask(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout: 3000, encoding: 'utf8' }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
  });
}
