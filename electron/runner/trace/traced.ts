import { errno as errnos } from '../wasi/errno.ts';
import type { GuestMemory } from '../wasi/guest-memory.ts';
import { type HostFunction, ProcExit, type Wait } from '../wasi/world.ts';
import { type Parameter, shapeOf } from './call-shapes.ts';
import type { TraceRing } from './trace-ring.ts';

/** Characters of one argument that are shown, and bytes of data. */
const TEXT = 256;
const DATA = 48;

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(errnos).map(([name, number]) => [number, name.toUpperCase()]),
);

type Argument = number | bigint;
type Call = (...args: Argument[]) => number | void | Wait;

/** Nanoseconds since the epoch, for the times of calls: the monotonic clock's steps over one reading of the other. */
const epoch = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/**
 * A host function that writes its calls down while the ring is on. A line is JSON: `t` when it began (ns since the epoch, as text), `d` how long it took (µs,
 * waiting included), `f` its name, `a` its arguments, `r` its result, and `o` what it gave, when it succeeded.
 */
export function traced(
  host: HostFunction,
  name: string,
  parameters: number,
  memory: GuestMemory,
  ring: TraceRing,
): HostFunction {
  const call = host as unknown as Call;
  const { inputs, outputs } = shapeOf(name, parameters);
  const result = (answer: number | void): string => (answer === undefined ? '' : (names.get(answer) ?? String(answer)));

  const wrapped = (...args: Argument[]): number | void | Wait => {
    if (!ring.on) return call(...args);
    const shown = inputs.map((input) => `${input.name}=${shownArgument(input, args, memory)}`).join(' ');
    const began = process.hrtime.bigint();
    const tell = (answer: string, given: string): void => {
      const took = Number(process.hrtime.bigint() - began) / 1000;
      ring.write(
        JSON.stringify({
          t: String(epoch + began),
          d: Math.round(took * 10) / 10,
          f: name,
          a: shown,
          r: answer,
          ...(given === '' ? {} : { o: given }),
        }),
      );
    };
    const over = (answer: number | void): void =>
      tell(result(answer), answer === errnos.success ? givenOf(outputs, args, memory) : '');
    const followed = (wait: Wait): Wait => ({
      ...wait,
      resume: () => {
        const answer = wait.resume();
        if (typeof answer === 'object') return followed(answer);
        over(answer);
        return answer;
      },
    });
    try {
      const answer = call(...args);
      if (typeof answer === 'object') return followed(answer);
      over(answer);
      return answer;
    } catch (error) {
      tell(error instanceof ProcExit ? 'exit' : 'trap', '');
      throw error;
    }
  };
  return wrapped as unknown as HostFunction;
}

/** Arguments come from the guest: what cannot be read is shown as what it is, never thrown. */
function shownArgument({ kind, at }: Parameter, args: readonly Argument[], memory: GuestMemory): string {
  const value = args[at] ?? 0;
  const number = Number(value) >>> 0;
  const second = Number(args[at + 1] ?? 0) >>> 0;
  try {
    switch (kind) {
      case 'fd':
        return String(Number(value) | 0);
      case 'x':
        return `0x${number.toString(16)}`;
      case 'i':
        return String(BigInt.asUintN(64, BigInt(value)));
      case 's':
        return String(BigInt.asIntN(64, BigInt(value)));
      case 'path':
      case 'text':
        return JSON.stringify(bytesAt(memory, number, Math.min(second, TEXT)).toString()) + (second > TEXT ? '…' : '');
      case 'buf':
        return `${second} bytes`;
      case 'in':
        return `${vectorsOf(memory, number, second).total} bytes`;
      case 'data': {
        const { total, first } = vectorsOf(memory, number, second);
        return `${JSON.stringify(first.toString('latin1'))}${total > first.length ? `… ${total} bytes` : ''}`;
      }
      case 'addr':
        return addressAt(memory, number);
      default:
        return String(number);
    }
  } catch {
    return `<bad pointer 0x${number.toString(16)}>`;
  }
}

function givenOf(outputs: readonly Parameter[], args: readonly Argument[], memory: GuestMemory): string {
  memory.refresh();
  const given: string[] = [];
  for (const { name, kind, at } of outputs) {
    try {
      const pointer = Number(args[at] ?? 0);
      const offset = memory.at(pointer, kind === 'u64' ? 8 : 4);
      given.push(
        `${name}=${kind === 'u64' ? memory.view.getBigUint64(offset, true) : memory.view.getUint32(offset, true)}`,
      );
    } catch {
      // A call that succeeded without it.
    }
  }
  return given.join(' ');
}

/** A copy: the memory may be shared with threads that go on. */
function bytesAt(memory: GuestMemory, pointer: number, length: number): Buffer {
  memory.refresh();
  const offset = memory.at(pointer, length);
  return Buffer.from(memory.bytes.subarray(offset, offset + length));
}

function vectorsOf(memory: GuestMemory, pointer: number, count: number): { total: number; first: Buffer } {
  memory.refresh();
  const many = Math.min(count, 1024);
  const at = memory.at(pointer, many * 8);
  let total = 0;
  let first: Buffer | undefined;
  for (let index = 0; index < many; index++) {
    const data = memory.view.getUint32(at + index * 8, true);
    const length = memory.view.getUint32(at + index * 8 + 4, true);
    total += length;
    if (!first && length > 0) first = bytesAt(memory, data, Math.min(length, DATA));
  }
  return { total, first: first ?? Buffer.alloc(0) };
}

/** WasmEdge's handle: a pointer to bytes and their number; 4 = IPv4, 16 = IPv6, 128 = family and address. */
function addressAt(memory: GuestMemory, pointer: number): string {
  const handle = bytesAt(memory, pointer, 8);
  const bytes = bytesAt(memory, handle.readUInt32LE(0), Math.min(handle.readUInt32LE(4), 128));
  const address = bytes.length === 128 ? bytes.subarray(2, bytes.readUInt16LE(0) === 2 ? 18 : 6) : bytes;
  if (address.length === 4) return [...address].join('.');
  return address.toString('hex').replace(/(....)(?!$)/g, '$1:');
}
