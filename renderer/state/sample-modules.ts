import type { ModuleInfo } from '../../electron/contract/modules.ts';

/** A module description for unit tests; say only what matters. */
export function sampleModule(
  part: Partial<Omit<ModuleInfo, 'capabilities'>> & { capabilities?: Partial<ModuleInfo['capabilities']> } = {},
): ModuleInfo {
  return {
    digest: 'sha256:4f1c09ab',
    kind: 'core',
    size: 84_000,
    flavour: 'wasip1',
    entry: 'command',
    producers: [],
    imports: [],
    exports: [],
    sections: [],
    refusal: null,
    ...part,
    capabilities: {
      args: false,
      env: false,
      filesRead: false,
      filesWrite: false,
      stdin: false,
      clock: false,
      random: false,
      listen: false,
      connect: false,
      threads: false,
      ...part.capabilities,
    },
  };
}
