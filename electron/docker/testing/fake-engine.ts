import { notFound } from '../../base/errors.ts';
import type {
  Attachment,
  ContainerConfig,
  ContainerView,
  EngineApi,
  EngineInfo,
  ImageView,
  LogEntry,
} from '../../engine/api/index.ts';
import * as views from '../../engine/testing-views.ts';

type Parts<T> = { readonly [K in keyof T]?: T[K] extends (...args: never) => unknown ? T[K] : Partial<T[K]> };

/** An engine that answers with what a test gives it; asking for anything else fails the test with the name of what was asked. */
export function fakeEngine(parts: Parts<EngineApi> = {}): EngineApi {
  return room('engine', {
    ...Object.fromEntries(
      (['containers', 'execs', 'images', 'volumes', 'networks', 'events', 'registry'] as const).map((name) => [
        name,
        room(name, parts[name]),
      ]),
    ),
    system: room('system', { info: () => engineInfo, ...parts.system }),
    close: () => Promise.resolve(),
  }) as unknown as EngineApi;
}

function room(name: string, value: object = {}): object {
  return new Proxy(value, {
    get(target, key) {
      if (Reflect.has(target, key)) return Reflect.get(target, key) as unknown;
      throw new Error(`the fake engine has no ${name}.${String(key)}`);
    },
  });
}

const engineInfo: EngineInfo = {
  id: 'engine-id',
  version: '9.9.9',
  home: '/home/x',
  hostName: 'dock',
  os: 'Test OS',
  kernelVersion: '1.2.3',
  architecture: 'x86_64',
  cpus: 2,
  memoryTotal: 1 << 30,
  nodeVersion: '24',
  v8Version: '13',
  runtimes: ['wasi'],
  containers: { total: 3, running: 1, paused: 1, stopped: 1 },
  images: 4,
};

export const containerId = 'c0ffee'.padEnd(64, '0');

export function containerView(
  change: Partial<ContainerView> = {},
  config: Partial<ContainerConfig> = {},
): ContainerView {
  return views.containerView({
    id: containerId,
    name: 'tk',
    created: '2026-01-01T00:00:00.123456789Z',
    imageId: `sha256:${'a'.repeat(64)}`,
    path: '/t.wasm',
    args: ['tick', '200'],
    config: containerConfig(config),
    state: 'running',
    pid: 42,
    startedAt: '2026-01-01T00:00:01.000000000Z',
    logPath: '/logs',
    ...change,
  });
}

export const containerConfig = (change: Partial<ContainerConfig> = {}): ContainerConfig =>
  views.containerConfig({
    image: 't',
    entrypoint: ['/t.wasm'],
    command: ['tick', '200'],
    env: ['FOO=bar'],
    labels: { role: 'a' },
    workingDir: '/wd',
    hostname: 'c0ffee000000',
    ...change,
  });

export const imageView = (change: Partial<ImageView> = {}): ImageView =>
  views.imageView({
    id: `sha256:${'a'.repeat(64)}`,
    repoTags: ['t:latest'],
    created: '2026-01-01T00:00:00Z',
    os: 'wasip1',
    config: { ...views.imageConfig, entrypoint: ['/t.wasm'] },
    layers: [`sha256:${'b'.repeat(64)}`],
    ...change,
  });

/** `get` that knows one container by name, id and id prefix. */
export function getOnly(view: ContainerView): (ref: string) => ContainerView {
  return (ref) => {
    if (ref === view.name || ref === `/${view.name}` || (ref && view.id.startsWith(ref))) return view;
    throw notFound(`No such container: ${ref}`);
  };
}

export const entry = (stream: 1 | 2, text: string, time = '2026-01-01T00:00:00.000000001Z'): LogEntry => ({
  time,
  stream,
  partial: !text.endsWith('\n'),
  data: Buffer.from(text),
});

/** An attachment that a test feeds by hand and that records what reaches stdin. */
export function fakeAttachment(options: { readonly tty?: boolean; readonly stdin?: boolean } = {}) {
  const queue: (readonly LogEntry[])[] = [];
  const got: Buffer[] = [];
  let ended = false;
  let wake = (): void => undefined;
  const state = { closed: false, stdinEnded: false };
  const attachment: Attachment = {
    tty: options.tty ?? false,
    output: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const batch = queue.shift();
          if (batch) yield batch;
          else if (ended) return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    },
    stdin: options.stdin
      ? {
          write(bytes) {
            got.push(Buffer.from(bytes));
            return Promise.resolve();
          },
          end: () => void (state.stdinEnded = true),
        }
      : undefined,
    close() {
      state.closed = true;
      ended = true;
      wake();
    },
  };
  return {
    attachment,
    state,
    stdin: () => Buffer.concat(got),
    put(...batch: LogEntry[]) {
      queue.push(batch);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
  };
}
