import { expect, test } from 'vitest';
import { Fields } from './fields.ts';
import { parseBind, parseVolumesFrom, readMounts } from './mounts.ts';

test.each([
  ['/src:/dst', { type: 'bind', source: '/src', target: '/dst', readOnly: false, createSource: true }],
  ['/src:/dst/:ro,z', { type: 'bind', source: '/src', target: '/dst', readOnly: true, createSource: true }],
  ['name:/dst:rw', { type: 'volume', name: 'name', target: '/dst', readOnly: false }],
  ['name:/dst:nocopy', { type: 'volume', name: 'name', target: '/dst', readOnly: false, noCopy: true }],
  ['/anon', { type: 'volume', target: '/anon', readOnly: false }],
])('%s', (text, mount) => expect(parseBind(text)).toEqual(mount));

test.each([
  ['', "invalid volume specification: ''"],
  [':/dst', "invalid volume specification: ':/dst'"],
  ['/a:ro', "invalid volume specification: '/a:ro'"],
  ['/a:/b:ro:x', "invalid volume specification: '/a:/b:ro:x'"],
  ['/a:/b:rox', 'invalid mode: rox'],
  ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
  ['/a:rel', "invalid volume specification: '/a:rel': invalid mount path: 'rel' mount path must be absolute"],
  ['/a:/', "invalid volume specification: '/a:/': invalid specification: destination can't be '/'"],
  ['./a:/b', '"./a" includes invalid characters for a local volume name'],
])('%s is refused', (text, message) => expect(() => parseBind(text)).toThrow(message));

const read = (host: Record<string, unknown>) => readMounts(new Fields(host));

test('Mounts and Tmpfs', () => {
  expect(
    read({
      Mounts: [
        { Type: 'bind', Source: '/s', Target: '/b', ReadOnly: true },
        { Type: 'bind', Source: '/s', Target: '/c', BindOptions: { CreateMountpoint: true } },
        { Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { NoCopy: true } },
        { Type: 'volume', Target: '/anon' },
        { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 5, Mode: 0o700 } },
      ],
      Tmpfs: { '/scratch': 'size=64m,mode=1777,noexec,ro', '/plain': '' },
    }),
  ).toEqual([
    { type: 'bind', source: '/s', target: '/b', readOnly: true, createSource: false },
    { type: 'bind', source: '/s', target: '/c', readOnly: false, createSource: true },
    { type: 'volume', name: 'v', target: '/v', readOnly: false, noCopy: true },
    { type: 'volume', target: '/anon', readOnly: false },
    { type: 'tmpfs', target: '/t', readOnly: false, size: 5, mode: 0o700 },
    { type: 'tmpfs', target: '/scratch', readOnly: true, size: 64 << 20, mode: 0o1777 },
    { type: 'tmpfs', target: '/plain', readOnly: false },
  ]);
});

test.each<[Record<string, unknown>, string]>([
  [{ Binds: ['/a:/x', 'v:/x/'] }, 'Duplicate mount point: /x'],
  [
    { Mounts: [{ Type: 'bind', Source: '', Target: '/x' }] },
    'invalid mount config for type "bind": field Source must not be empty',
  ],
  [
    { Mounts: [{ Type: 'bind', Source: '/x' }] },
    'invalid mount config for type "bind": field Target must not be empty',
  ],
  [{ Mounts: [{ Type: 'floppy', Target: '/x' }] }, 'invalid mount config for type "floppy": mount type unknown'],
  [{ Mounts: [{ Type: 'image', Source: 'i', Target: '/x' }] }, 'mounts of type "image" are not supported'],
  [{ Tmpfs: { '/x': 'size=big' } }, `invalid tmpfs option "size=big": invalid size: 'big'`],
  [{ Tmpfs: { '/x': 'bogus=1' } }, 'invalid tmpfs option "bogus=1"'],
])('%j is refused', (host, message) => expect(() => read(host)).toThrow(message));

test('volumes-from', () => {
  expect(parseVolumesFrom('c')).toEqual({ container: 'c', readOnly: false });
  expect(parseVolumesFrom('c:ro')).toEqual({ container: 'c', readOnly: true });
  expect(() => parseVolumesFrom('c:x')).toThrow('invalid mode: x');
});
