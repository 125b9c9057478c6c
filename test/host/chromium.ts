import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const executable = process.env['DRYDOCK_CHROMIUM'] ?? '/usr/bin/chromium';

/** False without Chromium: tests of the window are then skipped. @throws under CI=true, where nothing may be skipped. */
export function hasChromium(): boolean {
  if (existsSync(executable)) return true;
  if (process.env['CI'] === 'true')
    throw new Error(`${executable} is missing: install Chromium or set DRYDOCK_CHROMIUM`);
  return false;
}

export interface Chromium {
  /** WebSocket address of DevTools. */
  readonly url: string;
  close(): Promise<void>;
}

/** Headless Chromium with a profile of its own. */
export async function startChromium(): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'drydock-chromium-'));
  const child = spawn(
    executable,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--no-default-browser-check',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-extensions',
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
      '--disable-background-timer-throttling',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    // A group of its own, so that its helpers end with it: one that lives on would write into the profile that is being removed.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  process.once('exit', kill);
  const said: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const match = /^DevTools listening on (ws:\S+)/.exec(line);
      if (match?.[1]) resolve(match[1]);
      else if (said.length < 50) said.push(line);
    });
    child.on('error', reject);
    void exited.then(() => reject(new Error(`Chromium did not start:\n${said.join('\n')}`)));
  });
  return {
    url,
    async close() {
      kill();
      process.off('exit', kill);
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}
