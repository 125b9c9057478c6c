import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

/**
 * Where a container may connect beyond the networks it shares: everywhere, nowhere, or to what is listed: `example.com`, `*.example.com`, an address, a CIDR,
 * `host.docker.internal`, each with `:port` if need be.
 */
export const outboundRules = z.union([
  z.literal('all'),
  z.literal('none'),
  z.array(z.string().min(1).max(300)).max(1000),
]);
export type OutboundRules = z.infer<typeof outboundRules>;

/** Something that the rules kept a container from. */
export const refusal = z.object({
  /** The name that the program asked for, else the address. */
  host: z.string(),
  /** '' when already the name was refused. */
  address: z.string(),
  /** 0 when already the name was refused. */
  port: z.number(),
  protocol: z.enum(['tcp', 'udp', 'dns']),
  /** How often since the container started. */
  count: z.number(),
  /** Milliseconds since the epoch, of the last time. */
  at: z.number(),
});
export type Refusal = z.infer<typeof refusal>;

/** `refusals`: of the current run, the latest last, at most 100. */
export const networkAccess = z.object({ rules: outboundRules, refusals: z.array(refusal) });
export type NetworkAccess = z.infer<typeof networkAccess>;

const base = oc.errors({ DRYDOCK: { data: failure } });
const ref = z.object({ id: z.string().min(1) });

export const networks = {
  access: base.input(ref).output(networkAccess),
  /** The same now and after each change of the rules and each refusal that is told; changes that a slow reader missed are one. */
  watchAccess: base.input(ref).output(eventIterator(networkAccess)),
  /** A container that runs obeys at its next connection. */
  setRules: base.input(ref.extend({ rules: outboundRules })).output(z.void()),
};
