/** For tests only: a module whose `_start` calls host functions with constants, for trying them through a real runner. */
import { argumentsFor, Dice, meanings } from './fuzzing.ts';
import { signatures } from './signatures.ts';
import { fdflag } from './types.ts';

const PAGE = 65_536;
const [I32, I64] = [0x7f, 0x7e];

const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...unsigned(Math.floor(value / 128))];

/** LEB128 with a sign, as constants are written. */
function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = Number(value & 127n);
    value >>= 7n;
    if ((value === 0n && (low & 64) === 0) || (value === -1n && (low & 64) !== 0)) return [...bytes, low];
    bytes.push(low | 128);
  }
}

const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
const text = (value: string): number[] => sized([...Buffer.from(value)]);
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];

interface Call {
  readonly function: number;
  readonly args: readonly (number | bigint)[];
}

export interface FuzzModule {
  readonly bytes: Uint8Array;
  /** One import has another type than the host's: it must be refused, not run. */
  readonly mistyped: boolean;
}

/** A module with one function for each of the table of meanings, called `calls` times in all; the same one for the same seed. */
export function fuzzModule(seed: number, calls: number): FuzzModule {
  const dice = new Dice(seed);
  const memory = Buffer.alloc(PAGE);
  const ground = {
    bytes: memory,
    view: new DataView(memory.buffer, memory.byteOffset),
    opened: [4, 5, 6, 7],
    sockets: [5, 8],
  };
  const functions: { readonly name: string; readonly params: number[] }[] = [];
  const numbers = new Map<string, number>();
  const body: Call[] = [];
  const add = (key: string, args: readonly (number | bigint)[]): void => {
    let number = numbers.get(key);
    if (number === undefined) {
      number = functions.length;
      numbers.set(key, number);
      const name = key.replace(/\/.*/, '');
      const params = args.map((_, at) => (signatures[name]?.[at] === 'I' ? I64 : I32));
      functions.push({ name, params });
    }
    body.push({ function: number, args });
  };
  for (let index = 0; index < calls; index++) {
    const key = dice.pick(dice.chance(1, 6) ? ['path_open', 'sock_open'] : Object.keys(meanings));
    add(key, argumentsFor(key, dice, ground));
    // A socket that waits would wait for ever, and the calls after it would not be tried: most are told not to, some get to it before.
    if (key === 'sock_open' || dice.chance(1, 12))
      for (let fd = 4; fd < 14; fd++) add('fd_fdstat_set_flags', [fd, fdflag.nonblock]);
  }
  const mistyped = dice.chance(1, 12);
  if (mistyped) dice.pick(functions).params.push(dice.pick([I64, 0x7d, 0x7c]));

  const code = body.flatMap((call) => [
    ...(functions[call.function]?.params ?? []).flatMap((type, index) => constant(type, call.args[index] ?? 0)),
    ...[0x10, ...unsigned(call.function), 0x1a],
    // Now and then a page more: what the host remembers of memory is stale then.
    ...(dice.chance(1, 100) ? [0x41, 1, 0x40, 0, 0x1a] : []),
  ]);
  const types = [...functions.map(({ params }) => [0x60, ...list(params.map((type) => [type])), 1, I32]), [0x60, 0, 0]];
  const imports = functions.map(({ name }, type) => [
    ...text('wasi_snapshot_preview1'),
    ...text(name),
    0,
    ...unsigned(type),
  ]);
  const bytes = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(imports)),
    ...section(3, list([unsigned(functions.length)])),
    ...section(5, [1, 1, 1, 4]),
    ...section(
      7,
      list([
        [...text('_start'), 0, ...unsigned(functions.length)],
        [...text('memory'), 2, 0],
      ]),
    ),
    ...section(10, list([sized([0, ...code, 0x0b])])),
    ...section(11, list([[0, 0x41, 0, 0x0b, ...sized([...memory])]])),
  ]);
  return { bytes, mistyped };
}

function constant(type: number, value: number | bigint): number[] {
  if (type === I32) return [0x41, ...signed(BigInt.asIntN(32, BigInt(value)))];
  if (type === I64) return [0x42, ...signed(BigInt.asIntN(64, BigInt(value)))];
  return type === 0x7d ? [0x43, 0, 0, 0, 0] : [0x44, 0, 0, 0, 0, 0, 0, 0, 0];
}
