/**
 * The app process: `node test/host/entry.ts` with DRYDOCK_TEST_HOST. Puts the fake in place of 'electron', runs the built main bundle as it is,
 * then says ready, as Electron does once the main module has been evaluated.
 */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Cdp } from './cdp.ts';
import { app } from './electron/app.ts';
import { host } from './electron/host.ts';
import { listenToTest } from './control.ts';

const fake = new URL('./electron/index.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: fake, shortCircuit: true } : next(specifier, context),
});

const { appPath, main, packaged, args, browser, earlyFiles } = host.options;
// A packaged Electron app has no script in its argv; in development argv[1] is the app's path.
process.argv = packaged ? [process.execPath, ...args] : [process.execPath, appPath, ...args];
Object.defineProperty(process, 'type', { value: 'browser' });
Object.defineProperty(process, 'resourcesPath', { value: join(appPath, 'assets') });
Object.defineProperty(process.versions, 'electron', { value: '45.4.1', enumerable: true });

listenToTest();
host.browser = await Cdp.connect(browser);
await import(pathToFileURL(join(appPath, main)).href);
for (const path of earlyFiles) app.emit('open-file', { preventDefault: () => undefined }, path);
host.ready = true;
host.events.emit('ready');
app.emit('ready', {}, {});
