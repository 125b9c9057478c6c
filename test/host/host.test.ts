/** The test host itself: it must be as strict as Electron where Drydock relies on it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hasChromium } from './chromium.ts';
import { Desk, type HostedApp } from './launch.ts';

const appPath = join(import.meta.dirname, 'sample');

/* eslint-disable @typescript-eslint/no-explicit-any -- what the sample's preload exposes has no types */
describe.skipIf(!hasChromium())('test host', () => {
  let desk: Desk;
  let app: HostedApp;
  beforeAll(async () => {
    desk = await Desk.open();
    app = desk.launch({ appPath, main: 'main.js', earlyFiles: ['/early.wasm'] });
  });
  afterAll(() => desk?.close());

  const ask = async (name: string): Promise<any> =>
    (await app.page()).evaluate(async (key) => (window as any).sample[key](), name);

  test('shows the page of a custom scheme, with its own origin and CSP', async () => {
    const page = await app.page();
    await page.getByRole('heading', { name: 'Sample' }).waitFor();
    await vi.waitFor(async () => expect((await app.do.window()).visible).toBe(true));
    expect((await app.do.window()).url).toBe('sample://app/index.html');
    expect(await page.evaluate(() => isSecureContext)).toBe(true);
    expect(
      await page.evaluate(() =>
        fetch('/other').then(
          (r) => r.status,
          () => 'refused by CSP',
        ),
      ),
    ).toBe('refused by CSP');
  });

  test('keeps the rules of readiness and names what it lacks', async () => {
    const facts = await ask('facts');
    expect(facts.early).toMatch(/before the app is ready/);
    expect(facts.missing[0]).toMatch(/electron\.powerMonitor is not implemented/);
    expect(facts.missing[1]).toMatch(/app\.dock is not implemented/);
    expect(facts.opened).toContain('/early.wasm');
    expect(facts.from).toBe('sample://app/index.html');
  });

  test('the bridge copies as contextBridge does, from a world of its own', async () => {
    const page = await app.page();
    const seen = await page.evaluate(() => {
      const { sample } = window as any;
      return {
        twice: sample.twice((n: number) => n + 4),
        frozen: Object.isFrozen(sample),
        nested: sample.nested.list[1].two,
        when: sample.nested.when.getTime(),
        error: sample.nested.failed.message,
        require: typeof (window as any).require,
        process: typeof (window as any).process,
        node: sample.node(),
        noFile: sample.pathOf(new File(['x'], 'made.wasm')),
      };
    });
    expect(seen).toEqual({
      twice: 9,
      frozen: true,
      nested: 2,
      when: 5,
      error: 'kept',
      require: 'undefined',
      process: 'undefined',
      node: 'undefined',
      noFile: '',
    });
  });

  test('a rejected invoke carries the text only', async () => {
    const page = await app.page();
    const text = await page.evaluate(() => (window as any).sample.fails().catch((e: Error) => e.message));
    expect(text).toBe("Error invoking remote method 'fails': TypeError: no such thing");
  });

  test('ports reach the page, queue until start, and close with its document', async () => {
    const page = await app.page();
    const echo = await page.evaluate(
      () =>
        new Promise((resolve) => {
          window.addEventListener('message', (event) => {
            if (event.data.sample !== 'k1') return;
            const port = event.ports[0]!;
            port.onmessage = (e) => resolve({ echoed: e.data.echo, source: event.source === window });
            port.postMessage({ n: 1n, bytes: new Uint8Array([7]), none: undefined });
          });
          (window as any).sample.port('k1');
        }),
    );
    expect(echo).toMatchObject({ echoed: { n: 1n, none: undefined }, source: true });
    await app.do.reload();
    await page.getByRole('heading', { name: 'Sample' }).waitFor();
    await vi.waitFor(async () => expect((await ask('facts')).opened).toContain('port closed'));
  });

  test('a utility process has a parentPort, and its output is cut off at exit', async () => {
    const child = await ask('child');
    expect(child).toMatchObject({
      during: 'number',
      code: 3,
      message: { args: ['one'], bytes: { 0: 1, 1: 2 }, send: 'undefined' },
      out: null,
    });
    expect(child.before).toBeUndefined();
  });

  test('a dropped file is a real File with a path', async () => {
    const path = desk.path('dropped.wasm');
    writeFileSync(path, 'twelve bytes');
    const page = await app.page();
    const dropped = page.evaluate(
      () =>
        new Promise((resolve) => {
          window.addEventListener('dragover', (event) => event.preventDefault());
          window.addEventListener('drop', (event) => {
            event.preventDefault();
            const file = event.dataTransfer!.files[0]!;
            resolve({ size: file.size, path: (window as any).sample.pathOf(file) });
          });
        }),
    );
    await page.evaluate(() => document.title); // the listeners are in place
    await app.drop([path]);
    expect(await dropped).toEqual({ size: 12, path });
  });

  test('a second start tells the first and ends', async () => {
    await (await app.page()).getByRole('heading', { name: 'Sample' }).waitFor();
    const second = desk.launch({ appPath, main: 'main.js', args: ['b.wasm'], cwd: desk.home });
    expect(await second.exited).toEqual({ code: 0, signal: null });
    await vi.waitFor(async () =>
      expect((await ask('facts')).opened).toContain(JSON.stringify({ cwd: desk.home, args: ['b.wasm'] })),
    );
  });

  test('closing hides, the tray quits', async () => {
    await app.do.closeWindow();
    expect(await app.do.window()).toMatchObject({ visible: false });
    await expect(app.do.clickTray(['More', 'Nothing'])).rejects.toThrow(/no menu item Nothing among: Quit/);
    const quit = app.do.clickTray(['More', 'Quit']).catch(() => undefined);
    expect(await app.exited).toEqual({ code: 0, signal: null });
    await quit;
  });
});
