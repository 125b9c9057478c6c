import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from './context.ts';
import type { TestEngine } from './engine.ts';

/** Builds the image `tool` of test/fixtures/tool.c, which does one small thing for each first argument. @throws when the build fails */
export async function toolImage(engine: TestEngine, instructions = ''): Promise<void> {
  const context = buildContext({
    'tool.wasm': { from: fixture('tool') },
    Dockerfile: `FROM scratch\nCOPY tool.wasm /tool.wasm\nENTRYPOINT ["/tool.wasm"]\n${instructions}`,
  });
  try {
    const built = await engine.docker(['build', '-q', '-t', 'tool', context]);
    if (built.code !== 0) throw new Error(`the image tool was not built: ${built.stderr}`);
  } finally {
    removeDirectory(context);
  }
}
