import { ORPCError } from '@orpc/server';
import { failureOf } from './status.ts';

/**
 * Anything thrown by the engine → the contract's typed DRYDOCK error (without a status: oRPC takes only the declared one). oRPC's own errors
 * (BAD_REQUEST with issues) pass unchanged.
 */
export function toRpcError(error: unknown): unknown {
  if (error instanceof ORPCError) return error;
  const data = failureOf(error);
  return new ORPCError('DRYDOCK', { defined: true, message: data.message, data, cause: error });
}

/** A failure in the middle of a stream, as the contract says it: the router's own translation ends where a stream begins. */
export async function* failing<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw toRpcError(error);
  }
}
