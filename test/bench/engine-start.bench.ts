/** create → first byte of output seen in the engine, for a C program of about 200 KB: never seen, and recycled. */
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { EngineApi } from '../../electron/engine/api/index.ts';
import { openEngine } from '../../electron/engine/engine.ts';
import { nodeHost } from '../../electron/supervisor/node-host.ts';
import { fixture } from '../fixtures/compile.ts';
import { times, type Row } from './table.ts';

const runnerPath = join(import.meta.dirname, '../../dist/main/runner.cjs');

/** Create, attach, start; the time until the first output reaches the engine. Waits for the end and removes. */
async function once(engine: EngineApi, image: string): Promise<number> {
  const started = performance.now();
  const { id } = await engine.containers.create({ image, command: ['echo', 'hello'] });
  const attachment = engine.containers.attach(id, {
    stdin: false,
    stdout: true,
    stderr: true,
    logs: false,
    stream: true,
  });
  const ended = engine.containers.wait(id, 'next-exit').result;
  const output = attachment.output[Symbol.asyncIterator]();
  const first = output.next();
  await engine.containers.start(id);
  const batch = await first;
  const took = performance.now() - started;
  if (batch.done || Buffer.from(batch.value[0]?.data ?? []).toString() !== 'hello\n')
    throw new Error('unexpected output');
  await ended;
  await output.return?.();
  await engine.containers.remove(id);
  return took;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export default async function bench(): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'drydock-bench-'));
  const engine = await openEngine({ home, processHost: nodeHost({ runnerPath }), version: 'bench' });
  try {
    const original = readFileSync(fixture('tool'));
    const fresh: number[] = [];
    for (let i = 0; i < 40; i++) {
      // A custom section makes the bytes new, so that no cache of any layer knows them.
      const name = Buffer.from(`never seen ${i}`);
      const bytes = Buffer.concat([original, Buffer.from([0, name.length + 1, name.length]), name]);
      await engine.images.importModule(Readable.from([bytes]), { fileName: 'tool.wasm', reference: `fresh:${i}` });
      await engine.images.snapshot(engine.images.get(`fresh:${i}`).id);
      await pause(150); // the pool's blank runner is there again
      fresh.push(await once(engine, `fresh:${i}`));
    }
    await engine.images.importModule(createReadStream(fixture('tool')), {
      fileName: 'tool.wasm',
      reference: 'tool:latest',
    });
    for (let i = 0; i < 100; i++) await once(engine, 'tool');
    const recycled: number[] = [];
    for (let i = 0; i < 1000; i++) recycled.push(await once(engine, 'tool'));
    return [
      times('never seen module, warm process', fresh, { goal: '≤5' }),
      times('recycled runner, same image', recycled, { goal: '≤1', goalP99: '≤3' }),
    ];
  } finally {
    await engine.close();
    rmSync(home, { recursive: true, force: true });
  }
}
