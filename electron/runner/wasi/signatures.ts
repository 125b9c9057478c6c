import type { ModuleImport } from '../../module/describe.ts';

/**
 * The core type of every function of preview 1 (witx, lowered): a letter for each parameter, i = i32, I = i64. All give an i32, the errno, but for
 * `proc_exit`. wasi_unstable has the same. WasmEdge's sockets are here too; where a name has two shapes, both are.
 */
export const signatures: Readonly<Record<string, string>> = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'iIi',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_dir_name: 'iii',
  fd_prestat_get: 'ii',
  fd_pwrite: 'iiiIi',
  fd_read: 'iiii',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  fd_seek: 'iIii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  proc_exit: 'i',
  proc_raise: 'i',
  random_get: 'ii',
  sched_yield: '',
  epoll_oneoff: 'iiii',
  sock_accept: 'ii|iii',
  sock_bind: 'iii',
  sock_connect: 'iii',
  sock_getaddrinfo: 'iiiiiiii',
  sock_getlocaladdr: 'iii|iiii',
  sock_getpeeraddr: 'iii|iiii',
  sock_getsockopt: 'iiiii',
  sock_listen: 'ii',
  sock_open: 'iii',
  sock_recv: 'iiiiii',
  sock_recv_from: 'iiiiiii|iiiiiiii',
  sock_send: 'iiiii',
  sock_send_to: 'iiiiiii',
  sock_setsockopt: 'iiiii',
  sock_shutdown: 'ii',
};

const lettered = (letters: string): string => [...letters].map((letter) => (letter === 'I' ? 'i64' : 'i32')).join(', ');
const shown = (params: string, results: string): string => `(${params}) -> (${results})`;

/**
 * What is wrong with the type under which a module imports a function of WASI; undefined when nothing is, or when the function is not in the table. V8
 * would let any type pass and convert whatever it gets.
 */
export function typeMismatch({ name, params, results }: ModuleImport): string | undefined {
  // The `_v2` names have the V2 shape, which is one of those of the plain name; sock.ts looks closer.
  const shapes = signatures[name] ?? signatures[name.replace(/_v2$/, '')];
  if (shapes === undefined || params === undefined) return undefined;
  const wanted = shapes.split('|').map((letters) => shown(lettered(letters), name === 'proc_exit' ? '' : 'i32'));
  const declared = shown(params.join(', '), (results ?? []).join(', '));
  if (wanted.includes(declared)) return undefined;
  return `has the type ${wanted.join(' or ')}, but the module imports it as ${declared}`;
}
