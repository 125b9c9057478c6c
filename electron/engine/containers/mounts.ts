/** What a container's file system is made of: settled at create, checked again at each start. */
import { accessSync, constants, mkdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { isAbsolute, join, posix } from 'node:path';
import { denied, invalid } from '../../base/errors.ts';
import type { MountSpec } from '../../fs/mounts.ts';
import { asFull } from '../../platform/atomic-file.ts';
import type { ContainerConfig, ContainerMount, ContainerSpec, MountRequest } from '../api/index.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import type { ContainerRecord } from './record.ts';

export interface SettledMounts {
  readonly mounts: readonly ContainerMount[];
  /** Gives back what was taken: volumes that are new and hold nothing of anybody's. */
  undo(): Promise<void>;
}

/**
 * Turns requests into mounts for the container `id`: volumes are made and held, missing host directories made where that was asked for, and volumes
 * that are empty get what the image has there. @throws invalid, denied, full; then everything is undone.
 */
export async function settleMounts(
  context: Pick<Context, 'volumes' | 'roots' | 'store'>,
  id: string,
  imageId: string,
  spec: ContainerSpec,
  config: ContainerConfig,
): Promise<SettledMounts> {
  const mounts = new Map<string, ContainerMount>();
  const held: string[] = [];
  const made: string[] = [];
  const undo = async (): Promise<void> => {
    for (const name of held) context.volumes.release(name, id);
    for (const name of made) await context.volumes.remove(name, { force: true }).catch(() => {});
  };
  const add = (mount: ContainerMount): void => void mounts.set(mount.target, mount);
  const hold = (name: string): void => {
    context.volumes.acquire(name, id);
    held.push(name);
  };
  try {
    for (const { container, readOnly } of spec.volumesFrom ?? []) {
      for (const mount of findSource(context, container).record.mounts) {
        const { anonymous: _, ...shared } = mount;
        add({ ...shared, readOnly: readOnly || mount.readOnly });
        if (mount.name !== undefined) hold(mount.name);
      }
    }
    const asked = new Set<string>();
    const fill: { readonly name: string; readonly target: string }[] = [];
    for (const request of spec.mounts ?? []) {
      const target = checkTarget(request.target);
      if (asked.has(target)) throw invalid(`Duplicate mount point: ${target}`);
      asked.add(target);
      add(settle(request, target));
    }
    for (const path of config.volumes) {
      const target = checkTarget(path);
      if (!mounts.has(target)) add(settle({ type: 'volume', target, readOnly: false }, target));
    }
    if (fill.length > 0) {
      const root = await context.roots.of(imageId);
      for (const { name, target } of fill) await context.volumes.populate(name, root, target);
    }
    return { mounts: [...mounts.values()], undo };

    function settle(request: MountRequest, target: string): ContainerMount {
      const { readOnly } = request;
      if (request.type === 'bind') {
        checkBind(request.source, request.createSource);
        return { type: 'bind', source: request.source, target, readOnly };
      }
      if (request.type === 'tmpfs') {
        const { size, mode } = request;
        return {
          type: 'tmpfs',
          source: '',
          target,
          readOnly,
          ...(size === undefined ? {} : { size }),
          ...(mode === undefined ? {} : { mode }),
        };
      }
      const { view, created } = context.volumes.ensure(request.name || undefined);
      hold(view.name);
      if (created) made.push(view.name);
      if (request.noCopy !== true) fill.push({ name: view.name, target });
      const anonymous = !request.name;
      return {
        type: 'volume',
        name: view.name,
        source: view.mountpoint,
        target,
        readOnly,
        ...(anonymous ? { anonymous } : {}),
      };
    }
  } catch (error) {
    await undo();
    throw error;
  }
}

/** Not notFound: the docker CLI takes a 404 of create for a missing image and would pull. */
function findSource({ store }: Pick<Context, 'store'>, ref: string): Container {
  try {
    return store.find(ref);
  } catch (error) {
    throw invalid(`invalid volumes-from: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function checkTarget(path: string): string {
  if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  const target = posix.normalize(path).replace(/(.)\/+$/, '$1');
  if (target === '/') throw invalid("invalid specification: destination can't be '/'");
  return target;
}

/** The runner refuses it as well, also below another mount (fs/host-directory.ts). */
function isProc(path: string): boolean {
  try {
    return process.platform === 'linux' && statfsSync(path).type === 0x9fa0;
  } catch {
    return false;
  }
}

/** `create`: `-v` makes the directory, `--mount` refuses. @throws invalid with moby's text, denied, full */
function checkBind(source: string, create: boolean): void {
  const complain = (reason: string): Error => invalid(`invalid mount config for type "bind": ${reason}`);
  if (!isAbsolute(source)) throw complain(`invalid mount path: '${source}' mount path must be absolute`);
  if (isProc(source))
    throw complain(`${source} is procfs, through which a guest could reach the memory of the process that runs it`);
  try {
    accessSync(source, constants.R_OK);
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') {
      throw denied(`bind source path cannot be read: ${source}: permission denied`, {
        hint: 'Drydock reads it as you: give yourself the right to, or share another directory.',
        data: { path: source },
        cause: error,
      });
    }
    if (code !== 'ENOENT') throw complain(`stat ${source}: ${code ?? String(error)}`);
    if (!create) throw complain(`bind source path does not exist: ${source}`);
  }
  try {
    mkdirSync(source, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw asFull(error, source);
    throw complain(`error while creating mount source path '${source}': mkdir: ${code ?? String(error)}`);
  }
}

/** Before a start, when nobody writes to the container's files: what the next run may still add is counted anew. */
export function forgetUsage(directory: string): void {
  rmSync(join(directory, 'usage'), { force: true });
}

/** For a start: what the runner mounts. Sources are looked at again, since the host may have changed. @throws invalid, denied, notFound */
export function mountsForRun(
  context: Pick<Context, 'volumes'>,
  record: ContainerRecord,
  directory: string,
  lower: string,
): readonly MountSpec[] {
  const { readOnlyRoot, hostConfig, storageSize } = record.config;
  const root: MountSpec = {
    type: 'overlay',
    target: '/',
    lower,
    upper: join(directory, 'upper'),
    readOnly: readOnlyRoot,
    ...(storageSize ? { quota: { limit: storageSize, ledger: join(directory, 'usage') } } : {}),
  };
  if (record.mounts.length === 0) return [root];
  // A parent before what is mounted below it.
  const sorted = record.mounts.toSorted((a, b) => a.target.length - b.target.length);
  const madeByBinds = Array.isArray(hostConfig['Binds']) ? (hostConfig['Binds'] as unknown[]) : [];
  return [
    root,
    ...sorted.map((mount): MountSpec => {
      const { target, readOnly } = mount;
      if (mount.type === 'tmpfs') {
        return {
          type: 'tmpfs',
          target,
          readOnly,
          ...(mount.size === undefined ? {} : { size: mount.size }),
          ...(mount.mode === undefined ? {} : { mode: mount.mode }),
        };
      }
      if (mount.type === 'bind') {
        checkBind(
          mount.source,
          madeByBinds.some((bind) => String(bind).startsWith(`${mount.source}:`)),
        );
        return { type: 'bind', target, source: mount.source, readOnly };
      }
      // By name: the home may have been moved since the container was made.
      const { mountpoint } = context.volumes.get(mount.name ?? '');
      if (!statSync(mountpoint, { throwIfNoEntry: false }))
        throw invalid(`the directory of volume ${mount.name ?? ''} is gone: ${mountpoint}`, {
          hint: 'Remove the volume and create it again.',
        });
      return { type: 'bind', target, source: mountpoint, readOnly };
    }),
  ];
}
