const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** As given, then from '/', then along PATH for bare names; each with and without `.wasm`. All results are absolute. */
export function candidates(program: string, env: readonly string[]): readonly string[] {
  const bare = !program.includes('/');
  const found = [program.startsWith('/') ? program : `/${program.replace(/^\.\//, '')}`];
  if (bare && program !== '') {
    const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice(5) || DEFAULT_PATH;
    for (const directory of path.split(':')) {
      if (directory.startsWith('/')) found.push(`${directory.replace(/\/+$/, '')}/${program}`);
    }
  }
  return found.flatMap((entry) => (entry.endsWith('.wasm') ? [entry] : [entry, `${entry}.wasm`]));
}

/** Splits `path#function`; the function is undefined when there is none. */
export function splitFunction(module: string): { path: string; func: string | undefined } {
  const at = module.lastIndexOf('#');
  return at <= 0 ? { path: module, func: undefined } : { path: module.slice(0, at), func: module.slice(at + 1) };
}
