/**
 * What the parameters of host functions are, for people. Each word is one or two parameters:
 *   NAME:fd NAME:u (number) NAME:x (flags, hexadecimal) NAME:i (i64 as u64) NAME:s (i64, signed)
 *   NAME:path (pointer, length: text)   NAME:text (pointer, length: text)   NAME:buf (pointer, length: a buffer, its size)
 *   NAME:in (iovec list, count: bytes that can be taken)   NAME:data (the same, with the first bytes of what is written)
 *   NAME:addr (WasmEdge's address handle)
 *   _ (a pointer that says nothing)     NAME=u32 NAME=u64 (a pointer whose value is shown when the call has succeeded)
 */
export const callShapes: Readonly<Record<string, string>> = {
  args_get: '_ _',
  args_sizes_get: 'count=u32 bytes=u32',
  environ_get: '_ _',
  environ_sizes_get: 'count=u32 bytes=u32',
  clock_res_get: 'clock:u resolution=u64',
  clock_time_get: 'clock:u precision:i time=u64',
  fd_advise: 'fd:fd offset:i length:i advice:u',
  fd_allocate: 'fd:fd offset:i length:i',
  fd_close: 'fd:fd',
  fd_datasync: 'fd:fd',
  fd_fdstat_get: 'fd:fd _',
  fd_fdstat_set_flags: 'fd:fd flags:x',
  fd_fdstat_set_rights: 'fd:fd base:i inheriting:i',
  fd_filestat_get: 'fd:fd _',
  fd_filestat_set_size: 'fd:fd size:i',
  fd_filestat_set_times: 'fd:fd atim:i mtim:i flags:x',
  fd_pread: 'fd:fd room:in offset:i read=u32',
  fd_prestat_dir_name: 'fd:fd room:buf',
  fd_prestat_get: 'fd:fd _',
  fd_pwrite: 'fd:fd data:data offset:i written=u32',
  fd_read: 'fd:fd room:in read=u32',
  fd_readdir: 'fd:fd room:buf cookie:i used=u32',
  fd_renumber: 'fd:fd to:fd',
  fd_seek: 'fd:fd by:s whence:u position=u64',
  fd_sync: 'fd:fd',
  fd_tell: 'fd:fd position=u64',
  fd_write: 'fd:fd data:data written=u32',
  path_create_directory: 'fd:fd path:path',
  path_filestat_get: 'fd:fd lookup:x path:path _',
  path_filestat_set_times: 'fd:fd lookup:x path:path atim:i mtim:i flags:x',
  path_link: 'fd:fd lookup:x path:path to_fd:fd to:path',
  path_open: 'fd:fd lookup:x path:path oflags:x rights:i inheriting:i fdflags:x opened=u32',
  path_readlink: 'fd:fd path:path room:buf used=u32',
  path_remove_directory: 'fd:fd path:path',
  path_rename: 'fd:fd path:path to_fd:fd to:path',
  path_symlink: 'target:path fd:fd path:path',
  path_unlink_file: 'fd:fd path:path',
  poll_oneoff: '_ _ subscriptions:u events=u32',
  epoll_oneoff: '_ _ subscriptions:u events=u32',
  proc_exit: 'code:u',
  proc_raise: 'signal:u',
  sched_yield: '',
  random_get: 'room:buf',
  sock_open: 'family:u type:u opened=u32',
  sock_bind: 'fd:fd address:addr port:u',
  sock_listen: 'fd:fd backlog:u',
  sock_accept: 'fd:fd opened=u32',
  sock_accept_v2: 'fd:fd flags:x opened=u32',
  sock_connect: 'fd:fd address:addr port:u',
  sock_recv: 'fd:fd room:in flags:x received=u32 _',
  sock_recv_from: 'fd:fd room:in from:addr flags:x received=u32 _',
  sock_recv_from_v2: 'fd:fd room:in from:addr flags:x _ received=u32 _',
  sock_send: 'fd:fd data:data flags:x sent=u32',
  sock_send_to: 'fd:fd data:data to:addr port:u flags:x sent=u32',
  sock_shutdown: 'fd:fd how:x',
  sock_getsockopt: 'fd:fd level:u option:u _ _',
  sock_setsockopt: 'fd:fd level:u option:u value:buf',
  sock_getlocaladdr: 'fd:fd _ type=u32 port=u32',
  sock_getpeeraddr: 'fd:fd _ type=u32 port=u32',
  sock_getlocaladdr_v2: 'fd:fd _ port=u32',
  sock_getpeeraddr_v2: 'fd:fd _ port=u32',
  sock_getaddrinfo: 'node:text service:text _ _ most:u found=u32',
};

/** What stands for a call without a line above, or of another shape than its line's. */
const unknown = (count: number): string => Array.from({ length: count }, (_, at) => `${at}:u`).join(' ');

const twice = new Set(['path', 'text', 'buf', 'in', 'data']);

export interface Parameter {
  readonly name: string;
  readonly kind: string;
  /** Index of its (first) argument. */
  readonly at: number;
}

/** The parameters and results of a function as the module imports it. Names with two shapes are told apart by the number of parameters. */
export function shapeOf(
  name: string,
  count: number,
): { readonly inputs: readonly Parameter[]; readonly outputs: readonly Parameter[] } {
  for (const text of [callShapes[name], callShapes[`${name}_v2`], callShapes[name.replace(/_v2$/, '')]]) {
    if (text === undefined) continue;
    const parsed = parse(text);
    if (parsed.count === count) return parsed;
  }
  return parse(unknown(count));
}

function parse(text: string) {
  const inputs: Parameter[] = [];
  const outputs: Parameter[] = [];
  let at = 0;
  for (const word of text.split(' ').filter(Boolean)) {
    const input = /^(\w+):(\w+)$/.exec(word);
    const output = /^(\w+)=(\w+)$/.exec(word);
    if (input) inputs.push({ name: input[1] as string, kind: input[2] as string, at });
    else if (output) outputs.push({ name: output[1] as string, kind: output[2] as string, at });
    at += input && twice.has(input[2] as string) ? 2 : 1;
  }
  return { inputs, outputs, count: at };
}
