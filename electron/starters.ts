/**
 * Builds the images to begin with and leaves: `npm run starters -- [--home DIR] [NAME…]`. Runs as dist/main/starters.js; runner.cjs lies beside it, the
 * recipes in ../starters.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import product from '../package.json' with { type: 'json' };
import { toDrydockError } from './base/errors.ts';
import type { EngineApi } from './engine/api/index.ts';
import { openEngine } from './engine/engine.ts';
import { defaultHome } from './platform/paths.ts';
import { nodeHost } from './supervisor/node-host.ts';

const here = import.meta.dirname;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());

async function build({ starters }: EngineApi, name: string): Promise<void> {
  const began = performance.now();
  let tenth = -1;
  for await (const event of starters.build(name, stop.signal)) {
    if (event.type === 'starter') console.log(`== ${event.name}`);
    else if (event.type === 'stream') process.stdout.write(event.text);
    else if (event.type === 'download') {
      const now = Math.floor((event.received / event.total) * 10);
      if (now !== tenth)
        console.log(`${event.package}: ${(event.received / 1e6).toFixed(1)} of ${(event.total / 1e6).toFixed(1)} MB`);
      tenth = now;
    }
  }
  console.log(`== ${name}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { home: { type: 'string' } }, allowPositionals: true });
  const engine = await openEngine({
    home: resolve(values.home ?? defaultHome()),
    processHost: nodeHost({ runnerPath: join(here, 'runner.cjs') }),
    version: product.version,
    starters: join(here, '../starters'),
  });
  try {
    const all = engine.starters.list().map(({ name }) => name);
    for (const name of positionals.length > 0 ? positionals : all) await build(engine, name);
  } finally {
    await engine.close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const { message, hint } = toDrydockError(error);
    console.error(`drydock: ${message}`);
    if (hint !== undefined) console.error(hint);
    process.exit(1);
  },
);
