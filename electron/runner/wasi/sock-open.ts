import type { SocketFamily, SocketType } from '../net/guest-net.ts';
import { errno, WasiError } from './errno.ts';
import { family } from './sock-address.ts';

export const socktype = { any: 0, dgram: 1, stream: 2 } as const;

export interface SocketKind {
  readonly family: SocketFamily;
  readonly type: SocketType;
}

/**
 * The numbers of families and types as this guest has them. Up to 0.9.1 WasmEdge counted inet4 = 0, inet6 = 1 and dgram = 0, stream = 1; since 0.10
 * unspec = 0 and any = 0 come first. The signature is the same, so the values decide: a family of 0 with a type below stream can only be old,
 * and a guest that was old once is old in all of its calls. (1, 1) from one that has not shown it is read as new: inet4, dgram.
 */
export class SocketNumbers {
  #old = false;

  /** @throws WasiError INVAL, NOSYS (unix sockets are an option of WasmEdge that this host does not have) */
  kind(familyNumber: number, type: number): SocketKind {
    if (familyNumber === 0 && (type === 0 || type === 1)) this.#old = true;
    if (this.#old) {
      if ((familyNumber !== 0 && familyNumber !== 1) || (type !== 0 && type !== 1)) throw new WasiError(errno.inval);
      return { family: familyNumber === 0 ? 4 : 6, type: type === 0 ? 'dgram' : 'stream' };
    }
    if (familyNumber === family.unix) throw new WasiError(errno.nosys);
    if (familyNumber < 0 || familyNumber > family.unix || type < 0 || type > socktype.stream)
      throw new WasiError(errno.inval);
    return { family: familyNumber === family.inet6 ? 6 : 4, type: type === socktype.dgram ? 'dgram' : 'stream' };
  }

  /** The number of a type, for SO_TYPE. */
  typeNumber(type: SocketType): number {
    return (type === 'dgram' ? socktype.dgram : socktype.stream) - (this.#old ? 1 : 0);
  }
}
