import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from './context.ts';
import type { TestEngine } from './engine.ts';

/** Builds the image NAME of the test program NAME (test/fixtures/NAME.c), which is its entrypoint. @throws when the build fails */
export async function programImage(engine: TestEngine, name: string): Promise<void> {
  const context = buildContext({
    'program.wasm': { from: fixture(name) },
    Dockerfile: `FROM scratch\nCOPY program.wasm /${name}.wasm\nENTRYPOINT ["/${name}.wasm"]\n`,
  });
  try {
    const built = await engine.docker(['build', '-q', '-t', name, context]);
    if (built.code !== 0) throw new Error(`the image ${name} was not built: ${built.stderr}`);
  } finally {
    removeDirectory(context);
  }
}
