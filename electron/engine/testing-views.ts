import type { ContainerConfig, ContainerView, ImageConfig, ImageView } from './api/index.ts';

/** What the engine shows when nothing in particular was asked for; tests say what differs. */

const never = '0001-01-01T00:00:00Z';

export function containerConfig(change: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    image: 'app:latest',
    entrypoint: ['/app.wasm'],
    command: ['serve'],
    env: ['A=1'],
    labels: { tier: 'web' },
    workingDir: '/',
    hostname: 'h',
    domainname: '',
    user: '',
    tty: false,
    openStdin: false,
    stdinOnce: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    exposedPorts: [],
    volumes: [],
    stopSignal: '',
    stopTimeout: undefined,
    healthcheck: undefined,
    restartPolicy: { name: 'no', maximumRetryCount: 0 },
    autoRemove: false,
    memory: 0,
    nanoCpus: 0,
    readOnlyRoot: false,
    networkMode: 'default',
    portBindings: {},
    publishAllPorts: false,
    logOptions: {},
    runtime: 'wasi',
    isolation: 'process',
    hostConfig: {},
    ...change,
  };
}

/** A container as it is after create. */
export function containerView(change: Partial<ContainerView> & { readonly id: string }): ContainerView {
  return {
    name: change.id,
    created: '2026-11-24T05:00:00.123456789Z',
    imageId: 'sha256:image',
    path: '/app.wasm',
    args: ['serve'],
    config: containerConfig(),
    mounts: [],
    networks: [],
    ports: [],
    state: 'created',
    pid: 0,
    exitCode: 0,
    error: '',
    oomKilled: false,
    startedAt: never,
    finishedAt: never,
    restartCount: 0,
    logPath: '',
    execIds: [],
    warnings: [],
    ...change,
  };
}

export const imageConfig: ImageConfig = {
  env: [],
  entrypoint: ['/app.wasm'],
  command: undefined,
  workingDir: '',
  user: '',
  labels: {},
  exposedPorts: [],
  volumes: [],
  stopSignal: undefined,
  healthcheck: undefined,
  onBuild: [],
  shell: undefined,
};

export function imageView(change: Partial<ImageView> & { readonly id: string }): ImageView {
  return {
    repoTags: ['app:latest'],
    repoDigests: [],
    created: '2026-11-24T05:00:00Z',
    author: '',
    comment: '',
    architecture: 'wasm',
    os: 'wasi',
    size: 1234,
    config: imageConfig,
    layers: [],
    parent: '',
    lastTagTime: '',
    ...change,
  };
}
