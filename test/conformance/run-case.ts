import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { ContainerSpec, EngineApi, MountRequest } from '../../electron/engine/api/index.ts';
import type { Isolation } from '../../electron/supervisor/api.ts';
import type { TestCase } from './spec.ts';

export interface RunOptions {
  readonly isolation: Isolation;
  /** Milliseconds after which a test has failed. */
  readonly limit: number;
}

/** Why a test failed, in a line; undefined when it passed. */
export type Failure = string | undefined;

let count = 0;

/**
 * Runs one test through a container of the engine: an image of its module, a fresh copy of its directories, create, start, wait. Nothing is left.
 * Whatever the engine throws is a failure of the test.
 */
export async function runCase(engine: EngineApi, test: TestCase, options: RunOptions): Promise<Failure> {
  const scratch = mkdtempSync(join(tmpdir(), 'drydock-conformance-'));
  const image = `conformance/case-${++count}`;
  let container: string | undefined;
  try {
    await makeImage(engine, test, image, scratch);
    const { id } = await engine.containers.create(containerSpec(test, image, scratch, options));
    container = id;
    return await outcome(engine, test, id, options.limit);
  } catch (error) {
    return `the engine: ${(error as Error).message}`;
  } finally {
    if (container !== undefined) await engine.containers.remove(container, { force: true });
    await engine.images.remove(image, { force: true, prune: true }).catch(() => []);
    rmSync(scratch, { recursive: true, force: true });
  }
}

function containerSpec(test: TestCase, image: string, scratch: string, { isolation }: RunOptions): ContainerSpec {
  const mounts = [...test.directories].map(([name, source], index): MountRequest => {
    const copy = join(scratch, `directory-${index}`);
    copyClean(source, copy);
    return { type: 'bind', source: copy, target: join('/', name), readOnly: false, createSource: false };
  });
  const names = [...test.directories.keys()];
  return {
    image,
    command: test.args,
    // Just what the test says: the names without a value take away what every container gets.
    env: ['PATH', 'HOSTNAME', 'PWD', ...Object.entries(test.env).map(([key, value]) => `${key}=${value}`)],
    openStdin: true,
    stdinOnce: true,
    attachStdin: true,
    isolation,
    ...(mounts.length > 0 ? { mounts, labels: { 'drydock.wasi.preopens': names.join(',') } } : {}),
  };
}

async function makeImage(engine: EngineApi, test: TestCase, reference: string, scratch: string): Promise<void> {
  if (test.root === undefined) {
    await engine.images.importModule(Readable.from([readFileSync(test.module)]), { fileName: 'test.wasm', reference });
    return;
  }
  const root = join(scratch, 'root');
  copyClean(test.root, root);
  const context = pack();
  context.entry({ name: 'Dockerfile' }, 'FROM scratch\nCOPY root/ /\nCOPY test.wasm /\nENTRYPOINT ["/test.wasm"]\n');
  context.entry({ name: 'test.wasm' }, readFileSync(test.module));
  context.entry({ name: 'root', type: 'directory' });
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const name = join('root', entry.parentPath.slice(root.length), entry.name);
    if (entry.isDirectory()) context.entry({ name, type: 'directory' });
    else context.entry({ name }, readFileSync(join(entry.parentPath, entry.name)));
  }
  context.finalize();
  const events = engine.images.build(
    { dockerfile: 'Dockerfile', tags: [reference], buildArgs: {}, labels: {}, noCache: true, pull: false },
    context as AsyncIterable<Uint8Array>,
  );
  for await (const _ of events);
}

/** A copy without what earlier runs of the suite have left (doc/specification.md, "Execution Preparation"). */
function copyClean(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.cleanup') });
}

async function outcome(engine: EngineApi, test: TestCase, id: string, limit: number): Promise<Failure> {
  const { stdin, output, close } = engine.containers.attach(id, {
    stdin: true,
    stdout: true,
    stderr: true,
    logs: false,
    stream: true,
  });
  const streams = { 1: '', 2: '' };
  const read = (async () => {
    for await (const batch of output)
      for (const { stream, data } of batch) streams[stream] += Buffer.from(data).toString();
  })();
  const exited = engine.containers.wait(id, 'next-exit').result;
  await engine.containers.start(id);
  if (test.stdin !== '') await stdin?.write(Buffer.from(test.stdin));
  if (!test.threads) stdin?.end();
  const timer = Promise.withResolvers<'late'>();
  const timeout = setTimeout(() => timer.resolve('late'), limit);
  const ended = await Promise.race([exited, timer.promise]);
  clearTimeout(timeout);
  if (ended === 'late') {
    await engine.containers.kill(id);
    await exited;
  }
  await read;
  close();
  if (ended === 'late') return `it did not end within ${limit / 1000} s${said(streams)}`;
  if (ended.exitCode !== test.exitCode)
    return `it ended with ${ended.exitCode} instead of ${test.exitCode}${said(streams)}`;
  if (!streams[1].startsWith(test.stdout)) return differs('stdout', test.stdout, streams[1]);
  if (!streams[2].startsWith(test.stderr)) return differs('stderr', test.stderr, streams[2]);
  return undefined;
}

const differs = (stream: string, wanted: string, got: string): string =>
  `${stream} begins with ${JSON.stringify(got.slice(0, wanted.length))} instead of ${JSON.stringify(wanted)}`;

/** The last lines of what it said, on one. */
function said(streams: Readonly<Record<1 | 2, string>>): string {
  const text = `${streams[1]}\n${streams[2]}`.trim().split(/\n+/).slice(-8).join(' | ');
  return text === '' ? '' : `: ${text.slice(-600)}`;
}
