import type { ModuleInfo } from '../../electron/contract/modules.ts';

/** What a module can ask for, in the order of the sheet: network in, files, network out, variables, input, harmless. */
export type Ask = 'listen' | 'filesRead' | 'filesWrite' | 'connect' | 'args' | 'env' | 'stdin' | 'harmless';

export function asksOf(module: ModuleInfo | null): Ask[] {
  if (!module) return [];
  const can = module.capabilities;
  const out: Ask[] = [];
  if (can.listen) out.push('listen');
  if (can.filesWrite) out.push('filesWrite');
  else if (can.filesRead) out.push('filesRead');
  if (can.connect) out.push('connect');
  if (can.args) out.push('args');
  if (can.env) out.push('env');
  if (can.stdin) out.push('stdin');
  if (can.clock || can.random) out.push('harmless');
  return out;
}

/** What it does not ask for, for the sentence under the list. */
export function neverOf(module: ModuleInfo | null): ('listen' | 'files' | 'connect' | 'threads')[] {
  if (!module) return [];
  const can = module.capabilities;
  const out: ('listen' | 'files' | 'connect' | 'threads')[] = [];
  if (!can.filesRead && !can.filesWrite) out.push('files');
  if (!can.listen && !can.connect) out.push('connect');
  else if (!can.connect) out.push('connect');
  else if (!can.listen) out.push('listen');
  if (!can.threads) out.push('threads');
  return out;
}

export type ImportGroup =
  'files' | 'terminal' | 'arguments' | 'time' | 'random' | 'sockets' | 'threads' | 'end' | 'http' | 'other';

const groupOrder: readonly ImportGroup[] = [
  'files',
  'sockets',
  'http',
  'terminal',
  'arguments',
  'time',
  'random',
  'threads',
  'end',
  'other',
];

function groupOf(module: string, name: string): ImportGroup {
  if (/^wasi:http/.test(module)) return 'http';
  if (/^wasi:sockets/.test(module) || /^sock_/.test(name)) return 'sockets';
  if (/^wasi:filesystem/.test(module)) return 'files';
  if (/^wasi:cli\/(environment)/.test(module)) return 'arguments';
  if (/^wasi:cli\/(exit)/.test(module)) return 'end';
  if (/^wasi:cli/.test(module)) return 'terminal';
  if (/^wasi:clocks/.test(module) || /^wasi:io\/poll/.test(module)) return 'time';
  if (/^wasi:random/.test(module)) return 'random';
  if (module === 'wasi' && name === 'thread-spawn') return 'threads';
  if (!/^wasi_(snapshot_preview1|unstable)$/.test(module)) return 'other';
  if (/^path_|^fd_(readdir|prestat|filestat|allocate|advise|sync|datasync|pread|pwrite|renumber|seek|tell)/.test(name))
    return 'files';
  // fd_read and fd_write serve files and the terminal alike; a module without path_open has only the terminal.
  if (/^fd_/.test(name)) return 'terminal';
  if (/^(args|environ)_/.test(name)) return 'arguments';
  if (/^clock_|^poll_/.test(name)) return 'time';
  if (name === 'random_get') return 'random';
  if (/^(proc_|sched_)/.test(name)) return 'end';
  return 'other';
}

/** Imports by what they are for, each group with its names; a module that cannot open a path has no file group. */
export function importGroups(
  module: Pick<ModuleInfo, 'imports' | 'capabilities'>,
): { group: ImportGroup; names: string[] }[] {
  const files = module.capabilities.filesRead || module.capabilities.filesWrite;
  const groups = new Map<ImportGroup, string[]>();
  for (const entry of module.imports) {
    let group = groupOf(entry.module, entry.name);
    if (group === 'files' && !files) group = 'terminal';
    const names = groups.get(group);
    const name = entry.module.startsWith('wasi:') ? `${entry.module} ${entry.name}`.trim() : entry.name;
    if (names) names.push(name);
    else groups.set(group, [name]);
  }
  return groupOrder.flatMap((group) => {
    const names = groups.get(group);
    return names ? [{ group, names }] : [];
  });
}

/** What is written on the hexagon: the usual file ending of the language, else ".wasm". */
export function languageMark(language: string | undefined): string {
  const marks: [RegExp, string][] = [
    [/rust/i, '.rs'],
    [/c\+\+/i, '.cc'],
    [/^c(\d\d|$|\s)/i, '.c'],
    [/tinygo|^go/i, '.go'],
    [/zig/i, '.zig'],
    [/python/i, '.py'],
    [/assemblyscript|typescript/i, '.ts'],
    [/javascript/i, '.js'],
    [/swift/i, '.swift'],
    [/c#|dotnet|\.net/i, '.cs'],
    [/kotlin/i, '.kt'],
    [/php/i, '.php'],
    [/ruby/i, '.rb'],
  ];
  return marks.find(([pattern]) => pattern.test(language ?? ''))?.[1] ?? '.wasm';
}

/** "WASI 0.1" and what follows it, from the flavour that the engine found; the second part is already a name, not a word to translate. */
export function wasiOf(flavour: string): { version: string; extra: '' | 'threads' | 'http' | 'unstable' } {
  if (flavour === 'wasip1') return { version: 'WASI 0.1', extra: '' };
  if (flavour === 'wasi-unstable') return { version: 'WASI 0.1', extra: 'unstable' };
  if (flavour === 'wasi-threads') return { version: 'WASI 0.1', extra: 'threads' };
  if (flavour === 'component-http') return { version: 'WASI 0.2', extra: 'http' };
  if (flavour.startsWith('component')) return { version: 'WASI 0.2', extra: '' };
  if (flavour === 'plain' || flavour === 'unknown') return { version: '', extra: '' };
  return { version: flavour, extra: '' };
}
