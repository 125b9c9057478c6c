import { type Move, movedFrom } from '../module/memory-grow.ts';
import { demangle } from '../module/names.ts';
import { AssemblyAbort } from './plain-host.ts';

/** Wasm frames shown of a trap. */
export const TRACE_DEPTH = 50;

export interface Trap {
  readonly message: string;
  /** The text for stderr, lines ended by newlines: the message, then a line for each Wasm frame, innermost first. */
  readonly stack: string;
}

/** V8's words where they speak of JavaScript; the rest ("unreachable", "memory access out of bounds", "divide by zero") is as good as any. */
function messageOf(error: unknown): string {
  if (error instanceof RangeError && /call stack/i.test(error.message)) return 'call stack exhausted';
  if (error instanceof WebAssembly.RuntimeError) return error.message;
  const { Exception } = WebAssembly as unknown as { Exception?: new () => unknown };
  if (Exception && error instanceof Exception) return 'uncaught exception';
  if (error instanceof AssemblyAbort) return error.message;
  if (error instanceof Error) return `host function failed: ${error.name}: ${error.message}`;
  return `uncaught exception: ${String(error)}`;
}

/**
 * A trap as people read it. `names` by function index; `shift` = bytes by which the module's head has grown (memoryAsImport), taken off so that
 * offsets fit the file; `moves` likewise (noteFailedGrow); `thread` = number of the thread, undefined for the main one.
 */
export function describeTrap(
  error: unknown,
  names: ReadonlyMap<number, string>,
  shift: number,
  thread?: number,
  moves: readonly Move[] = [],
): Trap {
  const message = messageOf(error) + (thread === undefined ? '' : ` (in thread ${thread})`);
  const lines = [`wasm trap: ${message}`];
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    const match = /wasm-function\[(\d+)\]:0x([0-9a-f]+)/.exec(line);
    if (!match) continue;
    const index = Number(match[1]);
    const fromV8 = /^\s*at (?:async )?(\S+) \(/.exec(line)?.[1]?.replace(/^.*\.(?=[^.]+$)/, '');
    const name = names.get(index) ?? (fromV8 && !fromV8.startsWith('wasm://') ? fromV8 : undefined);
    const offset = Math.max(0, movedFrom(parseInt(match[2] as string, 16), moves) - shift);
    lines.push(
      `  at ${name === undefined ? '<unnamed>' : demangle(name)} (wasm-function[${index}]:0x${offset.toString(16)})`,
    );
  }
  return { message, stack: `${lines.join('\n')}\n` };
}
