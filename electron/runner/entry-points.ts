import type { CompiledProgram } from './compiled-program.ts';
import { cannotRun } from './not-runnable.ts';

/** What to call, in order. @throws NotRunnable 126 */
export function entryPoints({ description }: CompiledProgram, name: string, func: string | undefined): string[] {
  const functionOf = (wanted: string) =>
    description.exports.find((entry) => entry.kind === 'function' && entry.name === wanted);
  const first = description.entry === 'reactor' ? ['_initialize'] : [];
  if (func !== undefined) {
    const found = functionOf(func);
    if (!found) throw cannotRun(name, `the module exports no function "${func}" (${listed(description.exports)})`);
    if ((found.params?.length ?? 0) > 0)
      throw cannotRun(
        name,
        `the function "${func}" takes parameters (${found.params?.join(', ')}), so it cannot be run`,
      );
    return func === '_initialize' ? first : [...first, func];
  }
  if (description.entry === 'command') return ['_start'];
  const callable = description.exports.filter((entry) => entry.kind === 'function' && !entry.params?.length);
  throw cannotRun(
    name,
    `the module is a ${description.entry}, it exports no _start; name a function as ${name}#function (${listed(callable)})`,
  );
}

function listed(exports: readonly { readonly kind: string; readonly name: string }[]): string {
  const names = exports
    .filter((entry) => entry.kind === 'function' && entry.name !== '_initialize')
    .map((entry) => entry.name);
  if (names.length === 0) return 'it exports none that takes no parameters';
  return `it exports ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
}
