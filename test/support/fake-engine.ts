import { notFound } from '../../electron/base/errors.ts';
import type {
  Attachment,
  ContainerSpec,
  ContainerView,
  EngineApi,
  EngineEvent,
  ImageView,
  LogEntry,
  LogOptions,
  Stats,
} from '../../electron/engine/api/index.ts';
import { describeFile } from '../../electron/engine/images/describe.ts';
import * as views from '../../electron/engine/testing-views.ts';

/** A container as these tests want it: half a core, one port asked for. */
export const containerView = (change: Partial<ContainerView> & { readonly id: string }): ContainerView =>
  views.containerView({
    config: views.containerConfig({
      nanoCpus: 500_000_000,
      portBindings: { '80/tcp': [{ hostIp: '', hostPort: '8080' }] },
    }),
    ...change,
  });

export const { imageView } = views;

/**
 * The engine's doors without an engine, for unit tests that need to say exactly when something happens and to count what was asked. What a door
 * does with the real engine is proved in test/integration.
 */
export class FakeEngine {
  readonly views = new Map<string, ContainerView>();
  readonly pictures = new Map<string, ImageView>();
  readonly asked: string[] = [];
  readonly created: ContainerSpec[] = [];
  readonly listeners = new Set<(event: EngineEvent) => void>();
  /** Sampling loops that run, and that were ever begun. */
  sampling = 0;
  samplings = 0;
  diskUsages = 0;
  /** Thrown by the named verb. */
  readonly failures = new Map<string, Error>();
  logBatches: AsyncIterable<readonly LogEntry[]> = (async function* () {})();
  logOptions: LogOptions | undefined;
  logSignal: AbortSignal | undefined;
  attachment: Attachment | undefined;
  readonly resizes: [number, number][] = [];
  #samplers = new Set<(stats: Stats) => void>();

  put(view: Partial<ContainerView> & { readonly id: string }): void {
    this.views.set(view.id, containerView({ ...this.views.get(view.id), ...view }));
  }

  emit(type: EngineEvent['type'], action: string, actorId: string): void {
    for (const listener of this.listeners)
      listener({ type, action, actorId, attributes: {}, timeNano: process.hrtime.bigint() });
  }

  /** A reading of one container, as a running engine would take it. */
  sample(id: string, seconds: number): void {
    const at = (second: number): Stats['current'] => ({
      read: new Date(1_700_000_000_000 + second * 1000).toISOString(),
      cpuUser: second * 250_000_000,
      cpuSystem: 0,
      systemCpu: 0,
      onlineCpus: 2,
      memory: 1000 + second,
      memoryPeak: 2000,
      memoryLimit: 5000,
      threads: 1,
      readBytes: 1,
      writtenBytes: 2,
      receivedBytes: 3,
      sentBytes: 4,
    });
    const stats = {
      id,
      name: id,
      running: true,
      current: at(seconds),
      previous: seconds > 0 ? at(seconds - 1) : undefined,
    };
    for (const push of this.#samplers) push(stats);
  }

  #do(verb: string, ref: string): void {
    this.asked.push(`${verb} ${ref}`);
    const failure = this.failures.get(verb);
    if (failure) throw failure;
  }

  #get(ref: string): ContainerView {
    const view = this.views.get(ref) ?? [...this.views.values()].find((each) => each.name === ref);
    if (!view) throw notFound(`No such container: ${ref}`);
    return view;
  }

  async *#stats(ref: string, signal: AbortSignal | undefined): AsyncIterable<Stats> {
    const queue: Stats[] = [];
    let wake = (): void => undefined;
    const push = (stats: Stats): void => {
      if (stats.id === ref) queue.push(stats);
      wake();
    };
    this.#samplers.add(push);
    this.sampling++;
    this.samplings++;
    signal?.addEventListener('abort', () => wake());
    try {
      while (!signal?.aborted) {
        const next = queue.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.sampling--;
      this.#samplers.delete(push);
    }
  }

  get api(): EngineApi {
    const verb = (name: string) => async (ref: string) => this.#do(name, ref);
    const partial = {
      containers: {
        create: async (spec: ContainerSpec) => {
          this.#do('create', spec.image);
          this.created.push(spec);
          this.put({ id: 'new', name: spec.name ?? 'eager_dock' });
          return { id: 'new', warnings: ['careful'] };
        },
        start: verb('start'),
        stop: verb('stop'),
        kill: verb('kill'),
        restart: verb('restart'),
        pause: verb('pause'),
        unpause: verb('unpause'),
        rename: verb('rename'),
        remove: verb('remove'),
        get: (ref: string) => this.#get(ref),
        list: () => [...this.views.values()],
        stats: (ref: string, _options: unknown, signal?: AbortSignal) => this.#stats(ref, signal),
        logs: (ref: string, options: LogOptions, signal?: AbortSignal) => {
          this.#get(ref);
          this.logOptions = options;
          this.logSignal = signal;
          return this.logBatches;
        },
        attach: (ref: string) => {
          this.#get(ref);
          return this.attachment;
        },
        resize: async (_ref: string, rows: number, columns: number) => void this.resizes.push([rows, columns]),
      },
      images: {
        get: (ref: string) => {
          const found = this.pictures.get(ref);
          if (!found) throw notFound(`No such image: ${ref}`);
          return found;
        },
        list: () => [...this.pictures.values()],
        module: verb('module'),
        tag: verb('tag'),
        remove: verb('remove image'),
        describe: describeFile,
        importModule: async (bytes: AsyncIterable<Uint8Array>, options: { fileName: string; reference: string }) => {
          let size = 0;
          for await (const chunk of bytes) size += chunk.length;
          this.#do('import', `${options.fileName} ${size} ${options.reference}`);
          return imageView({ id: 'sha256:imported', repoTags: [`${options.reference}:latest`] });
        },
      },
      events: {
        subscribe: (listener: (event: EngineEvent) => void) => {
          this.listeners.add(listener);
          return () => this.listeners.delete(listener);
        },
      },
      system: {
        info: () => ({
          version: '0.1.0',
          cpus: 2,
          memoryTotal: 1024,
          os: 'Linux',
          architecture: 'x86_64',
          containers: { total: this.views.size, running: 0, paused: 0, stopped: 0 },
          images: this.pictures.size,
        }),
        diskUsage: async () => {
          this.diskUsages++;
          const bytes = 100 * this.diskUsages;
          return { layersSize: bytes, onDisk: bytes, images: [], buildCache: [], containers: [], volumes: [] };
        },
      },
    };
    return partial as unknown as EngineApi;
  }
}
