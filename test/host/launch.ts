/** The test's side: starts Chromium and the app process, gives the page as Playwright's and the rest of the desktop as commands. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium as playwright, type Browser, type Page } from 'playwright-core';
import { startChromium, type Chromium } from './chromium.ts';
import type { Commands } from './control.ts';
import type { HostOptions } from './electron/host.ts';

export const root = join(import.meta.dirname, '../..');

type Remote = {
  [K in keyof Commands]: (...args: Parameters<Commands[K]>) => Promise<Awaited<ReturnType<Commands[K]>>>;
};

export interface LaunchOptions {
  /** Arguments after the app. */
  readonly args?: readonly string[];
  readonly earlyFiles?: readonly string[];
  readonly packaged?: boolean;
  readonly cwd?: string;
  readonly locale?: string;
  /** False: a desktop on which an icon in the tray would not be seen. */
  readonly tray?: boolean;
  /** Another app to run in the host; Drydock's build otherwise. */
  readonly appPath?: string;
  readonly main?: string;
}

export interface HostedApp {
  /** Commands of control.ts. */
  readonly do: Remote;
  /** The window's page, driven by Playwright. */
  page(): Promise<Page>;
  /** Drops real files on the middle of the page. */
  drop(paths: readonly string[]): Promise<void>;
  readonly pid: number;
  /** What the app has written to stdout and stderr. */
  output(): string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** One Chromium, one temporary home, any number of app processes on it. */
export class Desk {
  readonly home: string;
  readonly #directory: string;
  readonly #chromium: Chromium;
  #browser: Browser;
  readonly #watched = new WeakSet<Page>();
  readonly #crashed = new WeakSet<Page>();
  readonly #children = new Set<ChildProcess>();

  private constructor(directory: string, chromium: Chromium, browser: Browser) {
    this.#directory = directory;
    this.home = join(directory, 'home');
    this.#chromium = chromium;
    this.#browser = browser;
  }

  static async open(): Promise<Desk> {
    const directory = mkdtempSync(join(tmpdir(), 'drydock-desk-'));
    for (const name of ['home', 'run', 'bin']) mkdirSync(join(directory, name));
    // The session bus as tray-support.ts asks for it: this machine has none.
    const gdbus = join(directory, 'bin', 'gdbus');
    writeFileSync(gdbus, '#!/bin/sh\necho "($DRYDOCK_TEST_TRAY,)"\n');
    chmodSync(gdbus, 0o755);
    const chromium = await startChromium();
    return new Desk(directory, chromium, await playwright.connectOverCDP(chromium.url));
  }

  /** Where the app's Docker API listens: "unix:///…". */
  get dockerHost(): string {
    return `unix://${join(this.#directory, 'run/drydock/docker.sock')}`;
  }

  /** A path inside the desk's temporary directory. */
  path(...names: readonly string[]): string {
    return join(this.#directory, ...names);
  }

  launch(options: LaunchOptions = {}): HostedApp {
    const host: HostOptions = {
      browser: this.#chromium.url,
      appPath: options.appPath ?? root,
      main: options.main ?? 'dist/main/main.js',
      userData: join(this.#directory, 'userData'),
      packaged: options.packaged ?? false,
      args: options.args ?? [],
      earlyFiles: options.earlyFiles ?? [],
      locale: options.locale ?? 'en-US',
    };
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'entry.ts')],
      {
        cwd: options.cwd ?? root,
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          PATH: `${join(this.#directory, 'bin')}:${process.env['PATH'] ?? ''}`,
          DRYDOCK_HOME: this.home,
          XDG_RUNTIME_DIR: join(this.#directory, 'run'),
          DRYDOCK_TEST_TRAY: String(options.tray ?? true),
          DRYDOCK_TEST_HOST: JSON.stringify(host),
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    this.#children.add(child);
    const chunks: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
      child.on('close', (code, signal) => {
        this.#children.delete(child);
        resolve({ code, signal });
      }),
    );
    const remote = remoteOf(child, exited, () => chunks.join(''));
    const page = async (): Promise<Page> => this.#pageOf(await remote.targetId());
    return {
      do: remote,
      page,
      drop: async (paths) => {
        await remote.dropped([...paths]);
        await dropOn(await page(), paths);
      },
      pid: child.pid ?? -1,
      output: () => chunks.join(''),
      exited,
    };
  }

  async #pageOf(targetId: string): Promise<Page> {
    for (;;) {
      // Playwright gives a page that has crashed up for good; a new connection sees the one that came after it.
      const pages = this.#browser.contexts().flatMap((context) => context.pages());
      if (pages.some((page) => this.#crashed.has(page))) {
        await this.#browser.close();
        this.#browser = await playwright.connectOverCDP(this.#chromium.url);
      }
      for (const page of this.#browser.contexts().flatMap((context) => context.pages())) {
        const session = await page.context().newCDPSession(page);
        const { targetInfo } = await session.send('Target.getTargetInfo');
        await session.detach();
        // A step that hangs shall fail by its own name, before the test does.
        page.setDefaultTimeout(20_000);
        if (!this.#watched.has(page)) page.once('crash', () => this.#crashed.add(page));
        this.#watched.add(page);
        if (targetInfo.targetId === targetId) return page;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends every app that still runs, and Chromium. */
  async close(): Promise<void> {
    const children = [...this.#children];
    await Promise.all(
      children.map((child) => {
        const gone = new Promise((resolve) => child.on('close', resolve));
        child.kill('SIGKILL');
        return gone;
      }),
    );
    await this.#browser.close();
    await this.#chromium.close();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

function remoteOf(child: ChildProcess, exited: Promise<unknown>, output: () => string): Remote {
  const pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let next = 1;
  child.on('message', (message: { id: number; value: never; error?: string }) => {
    const call = pending.get(message.id);
    pending.delete(message.id);
    if (message.error === undefined) call?.resolve(message.value);
    else call?.reject(new Error(message.error));
  });
  void exited.then(() => {
    for (const { reject } of pending.values()) reject(new Error(`the app has exited:\n${output()}`));
    pending.clear();
  });
  return new Proxy({} as Remote, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          const id = next++;
          pending.set(id, { resolve, reject });
          child.send({ id, name, args }, (error) => error && reject(error));
        }),
  });
}

/** A real drag from outside: the page gets File objects that Chromium made. */
async function dropOn(page: Page, paths: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { x, y } = await page.evaluate(() => ({ x: innerWidth / 2, y: innerHeight / 2 }));
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x, y, data });
  await session.detach();
}
