/** What goes wrong in the network, as errnos of WASI. */
import type { NetAnswer } from '../../supervisor/protocol.ts';
import { errno, errnoOf } from '../wasi/errno.ts';
import type { Errno } from './guest-net.ts';

export type Refusal = Extract<NetAnswer, { error: string }>['error'];

const byRefusal: Readonly<Record<Refusal, Errno>> = {
  noName: errno.noent,
  tryAgain: errno.again,
  denied: errno.acces,
  unreachable: errno.hostunreach,
  refused: errno.connrefused,
  inUse: errno.addrinuse,
  notAvailable: errno.addrnotavail,
};

/** The errno of an answer of the engine. */
export const errnoOfRefusal = (refusal: Refusal): Errno => byRefusal[refusal];

/** The errno of an error of node:net or node:dgram; one of no system's is EIO. */
export function errnoOfNet(error: unknown): Errno {
  try {
    return errnoOf(error);
  } catch {
    return errno.io;
  }
}
