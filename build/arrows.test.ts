import { describe, expect, it } from 'vitest';
import { importsOf, violations } from './arrows.mjs';

describe('the rule of the arrows', () => {
  it('lets an import down the arrows pass', () => {
    expect(violations('electron/engine/engine.ts', `import { notFound } from '../base/errors.ts';`)).toEqual([]);
  });
  it('refuses an import against them, also a dynamic one and a type', () => {
    expect(violations('electron/base/errors.ts', `import type { X } from '../engine/api/index.ts';`)).toHaveLength(1);
    expect(violations('electron/engine/a.ts', `const x = await import('../docker/router.ts');`)).toHaveLength(1);
  });
  it('lets the renderer take types of the contract, nothing else', () => {
    expect(
      violations(
        'renderer/state/a.svelte.ts',
        `import type { ContainerRow } from '../../electron/contract/containers.ts';`,
      ),
    ).toEqual([]);
    expect(
      violations('renderer/state/a.svelte.ts', `import { contract } from '../../electron/contract/index.ts';`),
    ).toHaveLength(1);
    expect(violations('renderer/a.ts', `import { z } from '../electron/engine/engine.ts';`)).toHaveLength(1);
  });
  it('keeps electron in the desktop', () => {
    expect(violations('electron/engine/a.ts', `import { app } from 'electron';`)).toHaveLength(1);
    expect(violations('electron/desktop/tray.ts', `import { Tray } from 'electron';`)).toEqual([]);
  });
  it('sees multi-line imports and ignores comments', () => {
    expect(
      importsOf(`import {\n  a,\n  b,\n} from './x.ts';\n// import y from './y.ts'\n/* import z from './z.ts' */`),
    ).toEqual([{ from: './x.ts', typeOnly: false }]);
  });
});
