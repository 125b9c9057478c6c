/** Volumes: records in memory and on disk, and which containers hold which. */
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTime } from '../../base/log-format.ts';
import { nowNano } from '../../base/clock.ts';
import { conflict, invalid, notFound } from '../../base/errors.ts';
import type { Filters, VolumesApi, VolumeView } from '../api/index.ts';
import type { NewEvent } from '../events/events.ts';
import { labelsMatch, pruneLabelsMatch, untilOf } from '../filters.ts';
import type { HomeLayout } from '../layout.ts';
import { directorySize } from '../usage/directory-size.ts';
import { populate } from './populate.ts';
import { readVolumes, writeVolume, type VolumeRecord } from './record.ts';

export interface Volumes extends VolumesApi {
  has(name: string): boolean;
  /** Makes the volume when it is new; `true` then. For anonymous ones the name is made up. */
  ensure(name: string | undefined): { readonly view: VolumeView; readonly created: boolean };
  /** While anybody holds it, a volume cannot be removed. */
  acquire(name: string, containerId: string): void;
  release(name: string, containerId: string): void;
  /** Containers that hold it. */
  users(name: string): readonly string[];
  /** Copies what the image has at `path` into a volume that is empty; two callers at once copy once. */
  populate(name: string, imageRoot: string, path: string): Promise<void>;
  /** Mount and unmount events of a container's start and end. */
  announce(action: 'mount' | 'unmount', name: string, attributes: Readonly<Record<string, string>>): void;
}

interface Deps {
  readonly layout: HomeLayout;
  readonly emit: (event: NewEvent) => void;
  readonly log: (line: string) => void;
}

export function openVolumes({ layout, emit, log }: Deps): Volumes {
  const views = new Map<string, VolumeView>();
  const holders = new Map<string, Set<string>>();
  const populating = new Map<string, Promise<void>>();
  let trash = 0;

  const viewOf = (record: VolumeRecord): VolumeView => ({
    ...record,
    driver: 'local',
    mountpoint: join(layout.volumes, record.name, '_data'),
  });
  const records = readVolumes(layout.volumes, (name, reason) =>
    log(`volume ${name} is left out, its record cannot be read: ${reason}`),
  );
  for (const record of records) views.set(record.name, viewOf(record));

  const announce = (action: string, name: string, attributes: Readonly<Record<string, string>> = {}): void =>
    emit({ type: 'volume', action, actorId: name, attributes: { driver: 'local', ...attributes } });

  function make(request: Parameters<VolumesApi['create']>[0], anonymous: boolean): VolumeView {
    const record: VolumeRecord = {
      name: request.name || randomBytes(32).toString('hex'),
      createdAt: formatTime(nowNano()),
      labels: request.labels ?? {},
      options: request.options ?? {},
      anonymous,
    };
    checkName(record.name);
    if (existsSync(join(layout.volumes, record.name))) {
      throw conflict(
        `create ${record.name}: the directory ${join(layout.volumes, record.name)} exists, but its record cannot be read`,
        {
          hint: 'Look into the directory, then repair record.json or move the directory away.',
        },
      );
    }
    writeVolume(layout.volumes, layout.tmp, record);
    const view = viewOf(record);
    views.set(record.name, view);
    announce('create', record.name);
    return view;
  }

  /** Out of sight in one step; the bytes go afterwards. */
  async function erase(name: string): Promise<void> {
    const away = join(layout.tmp, `volume-${process.pid}-${trash++}`);
    renameSync(join(layout.volumes, name), away);
    views.delete(name);
    announce('destroy', name);
    await rm(away, { recursive: true, force: true });
  }

  const users = (name: string): readonly string[] => [...(holders.get(name) ?? [])];
  const get = (name: string): VolumeView => {
    const view = views.get(name);
    if (!view) throw notFound(`get ${name}: no such volume`, { data: { volume: name } });
    return view;
  };

  return {
    has: (name) => views.has(name),
    get,
    users,
    announce,

    list(filters) {
      return [...views.values()].filter((view) => listed(view, filters, (holders.get(view.name)?.size ?? 0) > 0));
    },

    async create(request) {
      const driver = request.driver || 'local';
      if (driver !== 'local')
        throw notFound(`error looking up volume plugin ${driver}: plugin "${driver}" not found`, {
          hint: 'Drydock has only the driver "local".',
        });
      const option = Object.keys(request.options ?? {})[0];
      if (option !== undefined) throw invalid(`create ${request.name}: invalid option: "${option}"`);
      return (request.name !== '' && views.get(request.name)) || make(request, request.name === '');
    },

    ensure(name) {
      const known = name === undefined ? undefined : views.get(name);
      if (known) return { view: known, created: false };
      return { view: make({ name: name ?? '' }, name === undefined), created: true };
    },

    acquire(name, containerId) {
      const held = holders.get(name);
      if (held) held.add(containerId);
      else holders.set(name, new Set([containerId]));
    },

    release(name, containerId) {
      const held = holders.get(name);
      if (held?.delete(containerId) && held.size === 0) holders.delete(name);
    },

    async populate(name, imageRoot, path) {
      const before = populating.get(name);
      if (before) return before;
      const work = populate(imageRoot, path, get(name).mountpoint).finally(() => populating.delete(name));
      populating.set(name, work);
      return work;
    },

    async remove(name, { force }) {
      if (!views.has(name)) {
        if (force) return;
        throw notFound(`get ${name}: no such volume`, { data: { volume: name } });
      }
      const by = users(name);
      if (by.length > 0)
        throw conflict(`remove ${name}: volume is in use - [${by.join(', ')}]`, {
          hint: 'Remove the containers first.',
          data: { volume: name, containers: by },
        });
      await erase(name);
    },

    async prune(filters, { all }) {
      const until = untilOf(filters);
      const deleted: string[] = [];
      let reclaimed = 0;
      for (const view of [...views.values()]) {
        if (!all && !view.anonymous) continue;
        if (!pruneLabelsMatch(filters, view.labels)) continue;
        if (until !== undefined && Date.parse(view.createdAt) > until) continue;
        if (!unused(view.name)) continue;
        const size = await directorySize(view.mountpoint);
        // Somebody may have taken or removed it while it was measured.
        if (!views.has(view.name) || !unused(view.name)) continue;
        await erase(view.name);
        deleted.push(view.name);
        reclaimed += size;
      }
      return { deleted, reclaimed };
    },
  };

  function unused(name: string): boolean {
    return !holders.has(name);
  }
}

/** moby's rule and text for names of local volumes. */
function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return;
  if (name.length === 1 && /^[a-zA-Z0-9]$/.test(name))
    throw invalid(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  throw invalid(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

function listed(view: VolumeView, filters: Filters, used: boolean): boolean {
  const names = filters.get('name') ?? [];
  const drivers = filters.get('driver') ?? [];
  const dangling = filters.get('dangling') ?? [];
  if (names.length > 0 && !names.some((name) => view.name.includes(name))) return false;
  if (drivers.length > 0 && !drivers.includes(view.driver)) return false;
  if (!labelsMatch(filters.get('label'), view.labels)) return false;
  return dangling.length === 0 || dangling.some((want) => truth(want) === !used);
}

function truth(text: string): boolean {
  if (['1', 't', 'true', 'True', 'TRUE'].includes(text)) return true;
  if (['0', 'f', 'false', 'False', 'FALSE'].includes(text)) return false;
  throw invalid(`invalid filter 'dangling=${text}'`);
}
