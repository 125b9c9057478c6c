import type { ContainerRow } from '../../electron/contract/containers.ts';

/** A row for unit tests; say only what matters. */
export function sampleRow(part: Partial<ContainerRow> & { readonly id: string }): ContainerRow {
  return {
    name: part.id,
    image: 'hello:latest',
    imageId: 'sha256:0',
    command: 'hello.wasm',
    state: 'running',
    exitCode: 0,
    error: '',
    oomKilled: false,
    createdAt: 1000,
    startedAt: 2000,
    finishedAt: 0,
    restartCount: 0,
    labels: {},
    ports: [],
    tty: false,
    openStdin: false,
    memoryLimit: 0,
    cpuLimit: 0,
    ...part,
  };
}
