import type { ModuleCapabilities, ModuleImport } from './describe.ts';

const writers =
  /^(path_(create_directory|filestat_set_times|link|remove_directory|rename|symlink|unlink_file)|fd_(allocate|filestat_set_size))$/;

/** What the imports of a core module let it do: what is not imported cannot be done. */
export function coreCapabilities(imports: readonly ModuleImport[]): ModuleCapabilities {
  const names = new Set(
    imports.filter((entry) => /^wasi_(snapshot_preview1|unstable)$/.test(entry.module)).map((entry) => entry.name),
  );
  const any = (...wanted: string[]) => wanted.some((name) => names.has(name) || names.has(`${name}_v2`));
  const opens = any('path_open');
  return {
    args: any('args_get'),
    env: any('environ_get'),
    filesRead: (opens && any('fd_read', 'fd_pread', 'fd_readdir')) || any('path_filestat_get', 'path_readlink'),
    filesWrite: (opens && any('fd_write', 'fd_pwrite')) || [...names].some((name) => writers.test(name)),
    stdin: any('fd_read'),
    clock: any('clock_time_get', 'poll_oneoff'),
    random: any('random_get'),
    // sock_accept alone works only on a socket that the host opened, so it does not count (wasi-libc always links it).
    listen: any('sock_listen', 'sock_bind'),
    connect: any('sock_connect', 'sock_send_to', 'sock_getaddrinfo'),
    threads: imports.some((entry) => entry.module === 'wasi' && entry.name === 'thread-spawn'),
  };
}

/** The same for a component, from the interfaces it imports. */
export function componentCapabilities(imports: readonly ModuleImport[]): ModuleCapabilities {
  const any = (...wanted: string[]) => imports.some((entry) => wanted.some((name) => entry.module.startsWith(name)));
  const files = any('wasi:filesystem/');
  return {
    args: any('wasi:cli/environment'),
    env: any('wasi:cli/environment'),
    filesRead: files,
    filesWrite: files,
    stdin: any('wasi:cli/stdin'),
    clock: any('wasi:clocks/'),
    random: any('wasi:random/'),
    listen: any('wasi:sockets/tcp', 'wasi:sockets/udp'),
    connect: any('wasi:sockets/', 'wasi:http/outgoing-handler', 'wasi:http/client'),
    threads: false,
  };
}
