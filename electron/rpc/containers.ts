import { DrydockError, toDrydockError } from '../base/errors.ts';
import type { LimitsRequest, RunRequest } from '../contract/containers.ts';
import type { ContainerSpec, ContainerUpdate, EngineApi, MountRequest } from '../engine/api/index.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { containerRowOf } from './rows.ts';
import type { StatsHub } from './stats-hub.ts';

const mountOf = (mount: RunRequest['mounts'][number]): MountRequest => {
  const { type, source, target, readOnly } = mount;
  if (type === 'tmpfs') return { type, target, readOnly };
  if (type === 'volume') return { type, target, readOnly, ...(source === '' ? {} : { name: source }) };
  // A person picked this directory: a missing one is a mistake, not a wish for an empty directory.
  return { type, source, target, readOnly, createSource: false };
};

/** The Run dialog's answers as the engine wants them. */
export function specOf(request: RunRequest): ContainerSpec {
  const portBindings: Record<string, { hostIp: string; hostPort: string }[]> = {};
  for (const { hostPort, port } of request.ports) {
    (portBindings[`${port}/tcp`] ??= []).push({ hostIp: '', hostPort: hostPort === 0 ? '' : String(hostPort) });
  }
  return {
    image: request.image,
    env: request.env,
    mounts: request.mounts.map(mountOf),
    portBindings,
    exposedPorts: Object.keys(portBindings),
    memory: request.memory,
    nanoCpus: nano(request.cpus ?? 0),
    pidsLimit: request.threads ?? 0,
    storageSize: request.disk ?? 0,
    hostConfig: request.disk ? { StorageOpt: { size: String(request.disk) } } : {},
    tty: request.tty,
    openStdin: request.openStdin,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    autoRemove: request.autoRemove,
    restartPolicy: { name: request.restart, maximumRetryCount: 0 },
    ...(request.name ? { name: request.name } : {}),
    ...(request.command === undefined ? {} : { command: request.command }),
  };
}

const nano = (cpus: number): number => Math.round(cpus * 1e9);

/** As `docker update` says it, so that inspect shows it likewise. */
export const updateOf = ({ memory, cpus, threads }: LimitsRequest): ContainerUpdate => ({
  ...(memory === undefined ? {} : { memory }),
  ...(cpus === undefined ? {} : { nanoCpus: nano(cpus) }),
  ...(threads === undefined ? {} : { pidsLimit: threads }),
  hostConfig: threads === undefined ? {} : { PidsLimit: threads },
});

async function run(engine: EngineApi, request: RunRequest, touch: (id: string) => void) {
  const created = await engine.containers.create(specOf(request));
  const { id, warnings } = created;
  try {
    await engine.containers.start(id);
  } catch (error) {
    touch(id);
    const { kind, message, hint, data } = toDrydockError(error);
    let name = request.name ?? id.slice(0, 12);
    try {
      name = engine.containers.get(id).name;
    } catch {
      // Removed by its own --rm, or by somebody else meanwhile: the name asked for must do.
    }
    if (request.autoRemove) {
      await engine.containers.remove(id, { force: true, volumes: true }).catch(() => undefined);
      throw new DrydockError(kind, `${name} could not start: ${message}`, { hint, data, cause: error });
    }
    throw new DrydockError(kind, `Container ${name} was created but could not start: ${message}`, {
      hint,
      data: { ...data, id },
      cause: error,
    });
  }
  return { id, warnings: [...warnings] };
}

/** containers.*: `touch` tells the watchers of a change that the engine has no event for (a start that failed). */
export function containersRouter(deps: RouterDeps, touch: (id: string) => void, stats: StatsHub) {
  const { containers } = deps.engine;
  const touching = async (id: string, work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      touch(id);
      throw error;
    }
  };
  return {
    inspect: rpc.containers.inspect.handler(({ input }) => {
      const view = containers.get(input.id);
      return { row: containerRowOf(view), inspect: deps.inspectContainer(view) };
    }),
    run: rpc.containers.run.handler(({ input }) => run(deps.engine, input, touch)),
    start: rpc.containers.start.handler(({ input }) => touching(input.id, containers.start(input.id))),
    stop: rpc.containers.stop.handler(({ input }) =>
      touching(input.id, containers.stop(input.id, { timeout: input.timeout })),
    ),
    restart: rpc.containers.restart.handler(({ input }) => touching(input.id, containers.restart(input.id))),
    kill: rpc.containers.kill.handler(({ input }) => touching(input.id, containers.kill(input.id))),
    pause: rpc.containers.pause.handler(({ input }) => touching(input.id, containers.pause(input.id))),
    unpause: rpc.containers.unpause.handler(({ input }) => touching(input.id, containers.unpause(input.id))),
    limit: rpc.containers.limit.handler(async ({ input }) => {
      const { warnings } = await containers.update(input.id, updateOf(input));
      return { warnings: [...warnings] };
    }),
    trace: rpc.containers.trace.handler(async ({ input: { id, on, since } }) => {
      const { calls, ...view } = await containers.trace(id, {
        ...(on === undefined ? {} : { on }),
        ...(since === undefined ? {} : { since }),
      });
      return { ...view, calls: calls.map((call) => ({ ...call, time: String(call.time) })) };
    }),
    rename: rpc.containers.rename.handler(({ input }) => touching(input.id, containers.rename(input.id, input.name))),
    remove: rpc.containers.remove.handler(({ input }) =>
      touching(input.id, containers.remove(input.id, { force: input.force, volumes: input.volumes })),
    ),
    stats: rpc.containers.stats.handler(({ input, signal }) => stats.watch(input.ids, signal)),
  };
}
