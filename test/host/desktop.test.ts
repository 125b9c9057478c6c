/** The built desktop app in the test host, as a person and the OS use it. */
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { startEngine } from '../support/engine.ts';
import { hasChromium } from './chromium.ts';
import type { MenuEntry } from './electron/menu.ts';
import { Desk, root, type HostedApp, type LaunchOptions } from './launch.ts';

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Status: string;
  readonly Image: string;
}

const within = { timeout: 20_000, interval: 25 };
const labels = (menu: readonly MenuEntry[]): string[] => menu.map((entry) => entry.label);

describe.skipIf(!hasChromium())('desktop', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await Desk.open();
  });
  afterEach(() => desk.close());

  /** The window is there and connected to the engine. */
  async function open(options: LaunchOptions = {}): Promise<{ app: HostedApp; page: Page }> {
    const app = desk.launch(options);
    const page = await app.page();
    await page.getByRole('heading', { level: 1, name: 'Containers' }).waitFor();
    await vi.waitFor(() => expect(existsSync(desk.dockerHost.slice('unix://'.length))).toBe(true), within);
    return { app, page };
  }

  const list = async (): Promise<Row[]> => (await api(desk.dockerHost, 'GET', '/containers/json?all=1')).json<Row[]>();

  /** A running container of the fixture, made as the docker CLI would. The image is made from the file by the window first. */
  async function start(app: HostedApp, page: Page, name: string, ...command: string[]): Promise<string> {
    if (!(await api(desk.dockerHost, 'GET', '/images/json')).text.includes('tool:latest')) {
      await app.do.openFile(fixture('tool'));
      await runSheet(page);
      await ranOnce();
      await app.do.clickMenu(['View', 'Containers']);
      await page.getByRole('heading', { level: 1, name: 'Containers' }).waitFor();
    }
    const made = await api(desk.dockerHost, 'POST', `/containers/create?name=${name}`, { Image: 'tool', Cmd: command });
    expect(made.status, made.text).toBe(201);
    const { Id } = made.json<{ Id: string }>();
    expect((await api(desk.dockerHost, 'POST', `/containers/${Id}/start`)).status).toBe(204);
    return Id;
  }

  /** The sheet for tool.wasm is there; presses its one button. */
  async function runSheet(page: Page): Promise<void> {
    const sheet = page.getByRole('dialog', { name: /tool\.wasm/ });
    await sheet.waitFor();
    await sheet.getByRole('button', { name: 'Run', exact: true }).click();
    await sheet.waitFor({ state: 'detached' });
  }

  /** A container of tool.wasm ran to its end. */
  const ranOnce = (): Promise<void> =>
    vi.waitFor(async () => {
      const rows = await list();
      expect(rows.map((row) => [row.Image, row.State, row.Status.split(' ').slice(0, 2).join(' ')])).toEqual([
        ['tool:latest', 'exited', 'Exited (0)'],
      ]);
    }, within);

  const trayHas = (app: HostedApp, label: string): Promise<void> =>
    vi.waitFor(async () => expect(labels((await app.do.tray()).menu)).toContain(label), within);

  test('opens a sandboxed window on the Containers page, served with a policy', async () => {
    const { app, page } = await open();
    const window = await app.do.window();
    expect(window).toMatchObject({ url: 'drydock://app/index.html', visible: true });
    expect(window.preferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    });
    expect(await app.do.sandboxed()).toBe(true);
    expect(await app.do.permission('media')).toEqual({ request: false, check: false });
    expect(await app.do.permission('clipboard-sanitized-write')).toEqual({ request: true, check: true });
    const blocked = await page.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
          const script = document.createElement('script');
          script.textContent = 'globalThis.injected = true';
          document.head.append(script);
        }),
    );
    expect(blocked).toBe('script-src-elem');
    // Nothing of the app's own complains.
    expect(app.output()).toBe('');
  });

  test('the page has exactly the bridge, and no Node', async () => {
    const { page } = await open();
    const source = readFileSync(join(root, 'electron/contract/bridge.ts'), 'utf8');
    const body = /interface DesktopBridge \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? '';
    const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map((match) => match[1]);
    expect(members.length).toBeGreaterThan(5);
    const seen = await page.evaluate(() => ({
      members: Object.keys(window.drydock ?? {}).sort(),
      platform: window.drydock?.platform,
      node: [
        typeof (globalThis as { require?: unknown }).require,
        typeof (globalThis as { process?: unknown }).process,
      ],
    }));
    expect(seen).toEqual({ members: members.sort(), platform: process.platform, node: ['undefined', 'undefined'] });
  });

  test('a .wasm file in the arguments leads to the sheet and runs', async () => {
    const { page } = await open({ args: [fixture('tool')] });
    await runSheet(page);
    await ranOnce();
  });

  test('so does one of a packaged app, relative to where it was started', async () => {
    copyFileSync(fixture('tool'), desk.path('tool.wasm'));
    const { page } = await open({ packaged: true, args: ['tool.wasm'], cwd: desk.path() });
    await runSheet(page);
    await ranOnce();
  });

  test('so does one that macOS opens before the app is ready', async () => {
    const { page } = await open({ earlyFiles: [fixture('tool')] });
    await runSheet(page);
    await ranOnce();
  });

  test('so does one of a second start, which ends by itself', async () => {
    const { app, page } = await open();
    await app.do.closeWindow();
    copyFileSync(fixture('tool'), desk.path('tool.wasm'));
    const second = desk.launch({ args: ['./tool.wasm', 'missing.wasm'], cwd: desk.path() });
    expect(await second.exited).toEqual({ code: 0, signal: null });
    await runSheet(page);
    expect((await app.do.window()).visible).toBe(true);
    await ranOnce();
  });

  test('so does one that is dropped on the window', async () => {
    const { app, page } = await open();
    await app.drop([fixture('tool')]);
    await runSheet(page);
    await ranOnce();
  });

  test('so does one that is chosen from the tray', async () => {
    const { app, page } = await open();
    await app.do.answerDialog('open', { canceled: false, filePaths: [fixture('tool')] });
    await trayHas(app, 'Engine running, no containers');
    await app.do.clickTray(['Run a .wasm file…']);
    await runSheet(page);
    await ranOnce();
  });

  test('the tray lists what runs, and stops it', async () => {
    const { app, page } = await open();
    const id = await start(app, page, 'sleeper', 'sleep', '600');
    await trayHas(app, '● sleeper');
    await trayHas(app, 'Quit and stop 1 container');
    await app.do.clickTray(['● sleeper', 'Pause']);
    await trayHas(app, '‖ sleeper  paused');
    expect((await app.do.tray()).image).toMatch(/^paused/);
    await app.do.clickTray(['‖ sleeper  paused', 'Resume']);
    await trayHas(app, '● sleeper');
    const { menusSet } = await app.do.tray();
    // Events that change nothing in the menu do not set it again.
    await api(desk.dockerHost, 'POST', `/containers/${id}/kill?signal=SIGWINCH`);
    await app.do.clickTray(['● sleeper', 'Stop']);
    await trayHas(app, 'Engine running, no containers');
    expect((await app.do.tray()).menusSet).toBe(menusSet + 1);
    expect((await list()).find((row) => row.Id === id)?.State).toBe('exited');
    // It was asked for: no failure, no notification.
    expect((await app.do.tray()).image).toMatch(/^running/);
    expect(await app.do.notifications()).toEqual([]);
  });

  test('a failure while nobody looks is told, and a click leads to it', async () => {
    const { app, page } = await open();
    await start(app, page, 'first', 'exit', '0');
    await app.do.closeWindow();
    const id = await start(app, page, 'broken', 'exit', '7');
    await vi.waitFor(
      async () => expect(await app.do.notifications()).toEqual([{ title: 'broken failed', body: 'exit code 7' }]),
      within,
    );
    const tray = await app.do.tray();
    expect(tray.image).toMatch(/^failed/);
    expect(labels(tray.menu)).toContain('▲ broken  exit code 7');
    await app.do.clickNotification(0);
    expect((await app.do.window()).visible).toBe(true);
    await page.getByRole('heading', { name: 'broken' }).waitFor();
    // Seen: the icon is calm again, the line stays until the container is started or removed.
    await vi.waitFor(async () => expect((await app.do.tray()).image).toMatch(/^running/), within);
    await api(desk.dockerHost, 'DELETE', `/containers/${id}`);
    await vi.waitFor(
      async () => expect(labels((await app.do.tray()).menu).some((label) => label.startsWith('▲'))).toBe(false),
      within,
    );
  });

  test('a reloaded page connects again', async () => {
    const { app, page } = await open();
    await start(app, page, 'sleeper', 'sleep', '600');
    await page.getByText('sleeper').first().waitFor();
    await page.evaluate(() => location.reload());
    await page.getByText('sleeper').first().waitFor();
    // Alive, not only drawn: the row follows the engine.
    await api(desk.dockerHost, 'POST', '/containers/sleeper/rename?name=renamed');
    await page.getByText('renamed').first().waitFor();
  });

  test('closing hides; Quit of the tray stops the containers and ends with 0', async () => {
    const { app, page } = await open();
    const id = await start(app, page, 'sleeper', 'sleep', '600');
    const { State } = (await api(desk.dockerHost, 'GET', `/containers/${id}/json`)).json<{ State: { Pid: number } }>();
    expect(() => process.kill(State.Pid, 0)).not.toThrow();
    await app.do.closeWindow();
    expect((await app.do.window()).visible).toBe(false);
    await trayHas(app, 'Quit and stop 1 container');
    const clicked = app.do.clickTray(['Quit and stop 1 container']).catch(() => undefined);
    expect(await app.exited).toEqual({ code: 0, signal: null });
    await clicked;
    expect(app.output()).toBe('');
    expect(() => process.kill(State.Pid, 0)).toThrow(/ESRCH/);
    expect(existsSync(join(desk.home, 'lock'))).toBe(false);
    // The next start finds everything as it was left.
    const again = await open();
    expect((await list()).map((row) => [row.Names[0], row.State])).toContainEqual(['/sleeper', 'exited']);
    expect((await again.app.do.window()).bounds).toMatchObject({ width: 1280, height: 800 });
  });

  test('without a tray, closing the window ends the app', async () => {
    const { app } = await open({ tray: false });
    expect(await app.do.trayCount()).toBe(0);
    const closed = app.do.closeWindow().catch(() => undefined);
    expect(await app.exited).toEqual({ code: 0, signal: null });
    await closed;
  });

  test('SIGTERM ends it as Quit does', async () => {
    const { app } = await open();
    process.kill(app.pid, 'SIGTERM');
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(join(desk.home, 'lock'))).toBe(false);
  });

  test('a foreign page gets no port and no files', async () => {
    const { app, page } = await open();
    const server = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Elsewhere</title>'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      // The page cannot get there by itself …
      await page.evaluate((address) => location.assign(address), `http://127.0.0.1:${port}/`);
      await page.getByRole('heading', { level: 1, name: 'Containers' }).waitFor();
      expect((await app.do.window()).url).toBe('drydock://app/index.html');
      // … and if it were there, it would be refused.
      await app.do.load(`http://127.0.0.1:${port}/`);
      await page.waitForURL(/127\.0\.0\.1/);
      const got = await page.evaluate(async () => {
        let ports = 0;
        window.addEventListener('message', (event) => (ports += event.ports.length));
        window.drydock?.requestPort('rpc', 'rpc-1');
        window.drydock?.requestPort('channel', 'channel-1');
        window.drydock?.openExternal('https://example.org/');
        // Answered after the two above have been.
        const refusal = await window.drydock?.chooseFiles().then(String, (error: Error) => error.message);
        return { ports, refusal };
      });
      expect(got.ports).toBe(0);
      expect(got.refusal).toMatch(/this page may not open files/);
      expect(await app.do.openedExternally()).toEqual([]);
      expect(app.output().match(/refused drydock:port from http:\/\/127\.0\.0\.1/g)).toHaveLength(2);
    } finally {
      server.close();
    }
  });

  test('only https and mail leave the window, through the system', async () => {
    const { app, page } = await open();
    await page.evaluate(() => {
      for (const url of ['https://example.org/a', 'file:///etc/passwd', 'mailto:a@example.org', 'http://example.org/'])
        window.drydock?.openExternal(url);
    });
    await page.evaluate(() => void window.open('https://example.org/window'));
    await vi.waitFor(
      async () =>
        expect(await app.do.openedExternally()).toEqual([
          'https://example.org/a',
          'mailto:a@example.org',
          'https://example.org/window',
        ]),
      within,
    );
    expect(await app.do.windowCount()).toBe(1);
  });

  test('a home that headless has open is not touched: a dialog names the process, and the app ends', async () => {
    const headless = await startEngine({ home: desk.home });
    try {
      const app = desk.launch();
      expect(await app.exited).toEqual({ code: 1, signal: null });
      expect(app.output()).toMatch(
        new RegExp(
          `\\[dialog\\] Drydock cannot start: .*in use by process ${headless.pid}.*\\n\\nQuit that Drydock first`,
        ),
      );
    } finally {
      await headless.stop();
    }
  });

  test('another program on the Docker socket is told, and the window works without', async () => {
    writeFileSync(desk.path('occupied'), 'not a socket');
    const app = desk.launch({ args: ['--docker-host', `unix://${desk.path('occupied')}`] });
    const page = await app.page();
    await page.getByRole('heading', { level: 1, name: 'Containers' }).waitFor();
    await vi.waitFor(
      async () =>
        expect((await app.do.dialogs())[0]?.options).toMatchObject({
          message: 'The docker CLI cannot reach Drydock',
          detail: expect.stringMatching(/is not a socket[\s\S]*another socket path/) as string,
        }),
      within,
    );
    expect(statSync(desk.path('occupied')).isFile()).toBe(true);
  });

  test('a page that crashes comes back', async () => {
    const { app, page } = await open();
    const session = await page.context().newCDPSession(page);
    void session.send('Page.crash').catch(() => undefined);
    await vi.waitFor(() => expect(app.output()).toMatch(/the page ended: crashed/), within);
    await vi.waitFor(async () => {
      const again = await app.page();
      await again.getByRole('heading', { level: 1, name: 'Containers' }).waitFor({ timeout: 5_000 });
    }, within);
  });

  test('speaks Chinese on a Chinese system', async () => {
    const app = desk.launch({ locale: 'zh-CN' });
    await trayHas(app, '引擎运行中，没有容器');
    expect(labels(await app.do.applicationMenu())).toContain('文件');
  });

  test('the settings of the menu open in the page', async () => {
    const { app, page } = await open();
    await app.do.clickMenu(['File', 'Settings…']);
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  });
});
