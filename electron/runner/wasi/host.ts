import { errnoOf } from './errno.ts';
import type { DescriptorTable } from './descriptors.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { GuestWorld, HostFunction, Wait } from './world.ts';

/** What the functions of every family work on: one guest's. */
export interface Host {
  readonly world: GuestWorld;
  readonly memory: GuestMemory;
  readonly descriptors: DescriptorTable;
}

/** The functions of one family by import name. */
export type Family = Record<string, HostFunction>;

type Answer = number | Wait;
/* eslint-disable @typescript-eslint/no-explicit-any -- the parameters of an import are numbers and bigints in any order */
type Body = (...args: any[]) => Answer | void;

/**
 * Makes an import of a function that may throw: views are fresh, what is thrown becomes an errno, no answer means success. One wrapper for each number
 * of parameters, because a rest array would cost more than many of the calls.
 */
export function guard(memory: GuestMemory, body: Body): HostFunction {
  const answer = (run: () => Answer | void): Answer => {
    memory.refresh();
    try {
      return run() ?? 0;
    } catch (error) {
      return errnoOf(error);
    }
  };
  switch (body.length) {
    case 0:
      return () => answer(body);
    case 1:
      return (a: any) => {
        memory.refresh();
        try {
          return body(a) ?? 0;
        } catch (error) {
          return errnoOf(error);
        }
      };
    case 2:
      return (a: any, b: any) => {
        memory.refresh();
        try {
          return body(a, b) ?? 0;
        } catch (error) {
          return errnoOf(error);
        }
      };
    case 3:
      return (a: any, b: any, c: any) => {
        memory.refresh();
        try {
          return body(a, b, c) ?? 0;
        } catch (error) {
          return errnoOf(error);
        }
      };
    case 4:
      return (a: any, b: any, c: any, d: any) => {
        memory.refresh();
        try {
          return body(a, b, c, d) ?? 0;
        } catch (error) {
          return errnoOf(error);
        }
      };
    case 5:
      return (a: any, b: any, c: any, d: any, e: any) => {
        memory.refresh();
        try {
          return body(a, b, c, d, e) ?? 0;
        } catch (error) {
          return errnoOf(error);
        }
      };
    default:
      return (...args: any[]) => answer(() => body(...args));
  }
}

/** Guards every function of a family. */
export function guarded(memory: GuestMemory, bodies: Record<string, Body>): Family {
  return Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, guard(memory, body)]));
}
