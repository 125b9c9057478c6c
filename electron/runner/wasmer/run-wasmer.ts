import { functionNames } from '../../module/names.ts';
import { MEMORY_MODULE, MEMORY_NAME } from '../../module/memory-import.ts';
import type { RunOutcome, RunSpec } from '../../supervisor/protocol.ts';
import { drive } from '../bridge/wait.ts';
import type { CompiledProgram } from '../compiled-program.ts';
import { createMemory } from '../memory.ts';
import { cannotRun, engineFault } from '../not-runnable.ts';
import type { FoundProgram } from '../program.ts';
import { describeTrap } from '../trap.ts';
import { errno } from '../wasi/errno.ts';
import { type GuestOutput, GuestTerminated, type GuestWorld } from '../wasi/world.ts';
import type { Wasmer, WasmerInstance } from './load.ts';

/** Bytes of stdin that are taken: the package wants them in one piece. */
const STDIN_LIMIT = 256 << 20;
const CHUNK = 64 << 10;

const message = `the wasmer runtime takes at most ${STDIN_LIMIT >> 20} MiB of stdin; use the runtime "wasi"`;
const tooMuch: RunOutcome = { kind: 'trap', message, stack: `${message}\n` };

/**
 * One run by `@wasmer/wasi`: stdin to its end, then the guest, then its output. `words` is the bridge's, for waiting; `started` is called when the module is
 * linked. @throws NotRunnable
 */
export function runWasmer(
  { WASI }: Wasmer,
  { program, func }: FoundProgram,
  spec: RunSpec,
  world: GuestWorld,
  words: Int32Array,
  started: () => void,
): RunOutcome {
  if (func !== undefined || program.description.entry !== 'command')
    throw cannotRun(spec.module, 'the wasmer runtime runs commands only: modules that export _start');
  const wasi = new WASI({ args: spec.args, env: environment(spec.env), preopens: { '/': '/' } });
  try {
    const instance = link(wasi, program, spec, world);
    started();
    const stdin = takeAll(world, words);
    if (!stdin) return tooMuch;
    wasi.setStdinBuffer(stdin);
    const outcome = run(wasi, instance, program);
    emit(world.stdout, wasi.getStdoutBuffer(), words);
    emit(world.stderr, wasi.getStderrBuffer(), words);
    return outcome;
  } catch (error) {
    if (error instanceof GuestTerminated) return { kind: 'terminated' };
    throw error;
  } finally {
    wasi.free();
  }
}

/** @throws NotRunnable */
function link(wasi: WasmerInstance, program: CompiledProgram, spec: RunSpec, world: GuestWorld): WebAssembly.Instance {
  const { description, module, ownMemory } = program;
  const memory = createMemory(program, spec.memoryLimit);
  if (memory) world.noteMemory(memory.buffer.byteLength);
  let provided: Record<string, Record<string, WebAssembly.ImportValue>>;
  try {
    provided = wasi.getImports(module);
  } catch (error) {
    throw cannotRun(spec.module, `@wasmer/wasi does not take the module: ${String(error)}`);
  }
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const [name, functions] of Object.entries(provided)) imports[name] = { ...functions };
  for (const { module: from, name, kind } of description.imports) {
    const room = (imports[from] ??= {});
    if (kind === 'memory' && memory) room[name] = memory;
    else if (kind === 'function' && !(name in room) && from.startsWith('wasi_')) room[name] = () => errno.nosys;
    if (!(name in room))
      throw cannotRun(spec.module, `the module imports ${from}.${name}, which the wasmer runtime does not provide`);
  }
  if (ownMemory && memory) (imports[MEMORY_MODULE] ??= {})[MEMORY_NAME] = memory;
  try {
    return wasi.instantiate(new WebAssembly.Instance(module, imports), {});
  } catch (error) {
    throw engineFault('unavailable', `the module cannot be instantiated: ${(error as Error).message}`);
  }
}

function run(wasi: WasmerInstance, instance: WebAssembly.Instance, { module, shift }: CompiledProgram): RunOutcome {
  try {
    return { kind: 'exit', code: wasi.start(instance) & 255 };
  } catch (error) {
    const section = WebAssembly.Module.customSections(module, 'name')[0];
    const names = section ? functionNames(new Uint8Array(section)) : new Map<number, string>();
    return { kind: 'trap', ...describeTrap(trapOf(error), names, shift) };
  }
}

/** The package wraps a trap in the text of its own error; its own frames, below the guest's, are cut off. */
function trapOf(error: unknown): Error {
  const text = String(error);
  const found = /RuntimeError: (?!JsValue)([^\n]*)\n((?:\s*at [^\n]*wasm-function\[[^\n]*\n)+)/.exec(text);
  if (!found) return new Error(text.split('\n')[0]);
  const trap = new WebAssembly.RuntimeError(found[1]);
  trap.stack = `RuntimeError: ${found[1]}\n${found[2]}`;
  return trap;
}

function environment(env: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    env.map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** Everything until the other side closes; undefined when it is too much. @throws GuestTerminated */
function takeAll({ stdin }: GuestWorld, words: Int32Array): Uint8Array | undefined {
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (!stdin.ended()) {
    const chunk = new Uint8Array(CHUNK);
    const taken = stdin.take(chunk);
    if (taken === 0) {
      drive(words, { ready: () => stdin.available() > 0 || stdin.ended(), resume: () => 0 });
      continue;
    }
    size += taken;
    if (size > STDIN_LIMIT) return undefined;
    chunks.push(chunk.subarray(0, taken));
  }
  return Buffer.concat(chunks);
}

function emit(output: GuestOutput, bytes: Uint8Array, words: Int32Array): void {
  for (let at = 0; at < bytes.length;) {
    const taken = output.write([bytes.subarray(at)]);
    at += taken;
    if (taken === 0) drive(words, { ready: () => output.writable(), resume: () => 0 });
  }
}
