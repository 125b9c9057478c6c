import { posix } from 'node:path';
import { invalid, unsupported } from '../../base/errors.ts';
import type { ContainerMount, MountRequest } from '../../engine/api/index.ts';
import { parseSize } from './size.ts';
import type { Fields } from './fields.ts';

/** Words of a bind's mode that ask for nothing we could do otherwise: SELinux labels, propagation, consistency. */
const idleModes = new Set(
  'z Z private rprivate shared rshared slave rslave consistent cached delegated volume-nocopy'.split(' '),
);

/** Every mount a create request asks for: Binds, Mounts, Tmpfs. Texts are moby's. @throws invalid */
export function readMounts(host: Fields): readonly MountRequest[] {
  const mounts = [
    ...(host.texts('Binds') ?? []).map(parseBind),
    ...host.list('Mounts').map(parseMount),
    ...Object.entries(host.record('Tmpfs') ?? {}).map(([target, options]) => parseTmpfs(target, options)),
  ];
  const seen = new Set<string>();
  for (const { target } of mounts) {
    if (seen.has(target)) throw invalid(`Duplicate mount point: ${target}`);
    seen.add(target);
  }
  return mounts;
}

/** `source:target[:mode]`, `name:target[:mode]` or `target`. @throws invalid */
export function parseBind(text: string): MountRequest {
  const parts = text.split(':');
  const [first = '', second, mode = ''] = parts;
  if (first === '' || parts.length > 3 || (parts.length === 2 && (second === '' || isMode(second ?? ''))))
    throw invalid(`invalid volume specification: '${text}'`);
  const { readOnly, noCopy } = parseMode(mode);
  const inSpec = (error: Error): Error => invalid(`invalid volume specification: '${text}': ${error.message}`);
  if (parts.length === 1) return { type: 'volume', target: targetPath(first, inSpec), readOnly };
  const target = targetPath(second ?? '', inSpec);
  if (isHostPath(first)) return { type: 'bind', source: first, target, readOnly, createSource: true };
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(first))
    throw invalid(
      `"${first}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  return { type: 'volume', name: first, target, readOnly, ...(noCopy ? { noCopy } : {}) };
}

/** `container[:mode]`. @throws invalid */
export function parseVolumesFrom(text: string): { readonly container: string; readonly readOnly: boolean } {
  const [container = '', mode = '', ...rest] = text.split(':');
  if (container === '' || rest.length > 0) throw invalid(`invalid volumes-from specification: ${text}`);
  return { container, readOnly: parseMode(mode).readOnly };
}

const isHostPath = (path: string): boolean => path.startsWith('/');

function isMode(text: string): boolean {
  return text.split(',').every((word) => word === 'rw' || word === 'ro' || word === 'nocopy' || idleModes.has(word));
}

function parseMode(mode: string): { readonly readOnly: boolean; readonly noCopy: boolean } {
  const words = mode === '' ? [] : mode.split(',');
  if (!words.every(isMode) || (words.includes('ro') && words.includes('rw'))) throw invalid(`invalid mode: ${mode}`);
  return { readOnly: words.includes('ro'), noCopy: words.includes('nocopy') };
}

function targetPath(path: string, wrap: (error: Error) => Error): string {
  if (path === '') throw wrap(invalid('field Target must not be empty'));
  if (!path.startsWith('/')) throw wrap(invalid(`invalid mount path: '${path}' mount path must be absolute`));
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (clean === '/') throw wrap(invalid("invalid specification: destination can't be '/'"));
  return clean;
}

function parseMount(mount: Fields): MountRequest {
  const type = mount.text('Type') ?? '';
  const wrap = (error: Error): Error => invalid(`invalid mount config for type "${type}": ${error.message}`);
  const source = mount.text('Source') ?? '';
  const readOnly = mount.flag('ReadOnly') ?? false;
  switch (type) {
    case 'bind': {
      const target = targetPath(mount.text('Target') ?? '', wrap);
      if (source === '') throw wrap(invalid('field Source must not be empty'));
      if (!isHostPath(source)) throw wrap(invalid(`invalid mount path: '${source}' mount path must be absolute`));
      const createSource = mount.child('BindOptions').flag('CreateMountpoint') ?? false;
      return { type, source, target, readOnly, createSource };
    }
    case 'volume': {
      const target = targetPath(mount.text('Target') ?? '', wrap);
      const options = mount.child('VolumeOptions');
      if (options.filled('Subpath')) throw wrap(invalid('VolumeOptions.Subpath is not supported'));
      const driver = options.child('DriverConfig').filled('Name');
      if (driver && driver !== 'local')
        throw wrap(invalid(`volume driver "${driver}" not found, only "local" is there`));
      const noCopy = options.flag('NoCopy') ?? false;
      return { type, ...(source ? { name: source } : {}), target, readOnly, ...(noCopy ? { noCopy } : {}) };
    }
    case 'tmpfs': {
      const target = targetPath(mount.text('Target') ?? '', wrap);
      if (source !== '') throw wrap(invalid('field Source must not be specified'));
      const options = mount.child('TmpfsOptions');
      const size = options.integer('SizeBytes');
      const mode = options.integer('Mode');
      return { type, target, readOnly, ...(size ? { size } : {}), ...(mode ? { mode } : {}) };
    }
    case 'image':
    case 'cluster':
    case 'npipe':
      throw unsupported(`mounts of type "${type}" are not supported`, { hint: 'use bind, volume or tmpfs' });
    default:
      throw wrap(invalid('mount type unknown'));
  }
}

/** Options of `--tmpfs PATH:size=64m,mode=1777,ro`. Flags of mount(8) that mean nothing here are taken and dropped. */
function parseTmpfs(path: string, options: string): MountRequest {
  const target = targetPath(path, (error) => invalid(`invalid mount config for type "tmpfs": ${error.message}`));
  let readOnly = false;
  let size: number | undefined;
  let mode: number | undefined;
  for (const option of options.split(',').filter(Boolean)) {
    const [key = '', value = ''] = option.split(/=(.*)/s);
    if (key === 'ro') readOnly = true;
    else if (key === 'size') size = parseSize(value, `invalid tmpfs option "${option}"`);
    else if (key === 'mode') {
      if (!/^[0-7]{1,4}$/.test(value)) throw invalid(`invalid tmpfs option "${option}"`);
      mode = Number.parseInt(value, 8);
    } else if (!/^(rw|(no)?(exec|suid|dev|atime|diratime)|a?sync|uid|gid|nr_inodes|nr_blocks|defaults)$/.test(key))
      throw invalid(`invalid tmpfs option "${option}"`);
  }
  return {
    type: 'tmpfs',
    target,
    readOnly,
    ...(size === undefined ? {} : { size }),
    ...(mode === undefined ? {} : { mode }),
  };
}

/** A settled mount as inspect and ps show it. */
export function mountJson(mount: ContainerMount): Record<string, unknown> {
  return {
    Type: mount.type,
    ...(mount.name === undefined ? {} : { Name: mount.name }),
    Source: mount.source,
    Destination: mount.target,
    ...(mount.type === 'volume' ? { Driver: 'local' } : {}),
    Mode: mount.readOnly ? 'ro' : '',
    RW: !mount.readOnly,
    Propagation: mount.type === 'bind' ? 'rprivate' : '',
  };
}
