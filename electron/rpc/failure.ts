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
