/**
 * The engine without a desktop: the Docker socket, and the window on http://127.0.0.1. For `npm start -- --web`, servers, SSH, CI.
 * Runs as dist/main/headless.js; runner.cjs lies beside it, the renderer in ../renderer.
 */
import { join } from 'node:path';
import product from '../package.json' with { type: 'json' };
import { toDrydockError } from './base/errors.ts';
import { serveDocker } from './docker/listen.ts';
import { checkHome } from './engine/check-home.ts';
import { openEngine } from './engine/engine.ts';
import { Staging } from './rpc/staging.ts';
import { nodeHost } from './supervisor/node-host.ts';
import { Closing } from './web/closing.ts';
import { readFlags, usage } from './web/flags.ts';
import { serveWeb } from './web/server.ts';
import { windowRouter } from './web/window-router.ts';

const { version } = product;
const here = import.meta.dirname;
const closing = new Closing();
/** When the first signal came. */
let stopping: number | undefined;
const log = (line: string): void => console.error(`drydock: ${line}`);

async function open(args: readonly string[]): Promise<void> {
  const { home, socketPath, dockerHost, port, ...asked } = readFlags(args);
  if (asked.help) return console.log(usage);
  if (asked.version) return console.log(version);
  if (asked.check) {
    process.exitCode = (await checkHome(home, (line) => console.log(line))) ? 0 : 1;
    return;
  }

  const processHost = nodeHost({ runnerPath: join(here, 'runner.cjs') });
  const engine = await openEngine({ home, processHost, version, log, starters: join(here, '../starters') });
  closing.add(() => engine.close());

  const staging = new Staging(engine, join(home, 'tmp'));
  closing.add(() => staging.close());

  const docker = await serveDocker(engine, { socketPath, version, log });
  closing.add(() => docker.close());

  const web = await serveWeb({
    port,
    rendererDirectory: join(here, '../renderer'),
    engine,
    staging,
    router: windowRouter({ engine, staging, home, dockerHost, version }),
    log,
    onLink: (url) => console.log(`Open ${url}`),
  });
  closing.add(() => web.close());

  if (stopping !== undefined) return;
  console.log(`DOCKER_HOST=${dockerHost}`);
  console.log(`Open ${web.url}`);
}

/** One sentence and what to do; a stack helps nobody who has to choose another port. */
function fail(error: unknown): never {
  const { message, hint } = toDrydockError(error);
  log(message);
  if (hint !== undefined) console.error(hint);
  process.exit(1);
}

/** The first signal closes everything in order, a later one ends at once. npm hands a ^C on to us that the terminal has sent already: one wish. */
function stop(): void {
  if (stopping === undefined) {
    stopping = performance.now();
    opening
      .catch(() => undefined)
      .then(() => closing.close())
      .then(() => process.exit(0), fail);
  } else if (performance.now() - stopping > 1000) process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
// The terminal may go before we do.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const opening = open(process.argv.slice(2));
opening.catch(async (error: unknown) => {
  if (stopping !== undefined) return;
  await closing.close().catch(() => undefined);
  fail(error);
});
