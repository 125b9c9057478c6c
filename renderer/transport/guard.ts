import type { ClientLink, ClientContext, ClientOptions } from '@orpc/client';

/** The link to the engine ended before or during a call. */
export class LinkClosedError extends Error {
  override readonly name = 'LinkClosedError';
  constructor() {
    super('The engine does not answer: the connection to it is closed.');
  }
}

/**
 * Makes a link end with its transport: after `closed` resolves, calls under way and calls to come reject with LinkClosedError. Without this a
 * call on a closed port waits for ever (oRPC 1.16, measured).
 */
export function guard<T extends ClientContext>(link: ClientLink<T>, closed: Promise<void>): ClientLink<T> {
  let ended = false;
  const end = closed.then(() => {
    ended = true;
    throw new LinkClosedError();
  });
  end.catch(() => undefined);
  return {
    call(path: readonly string[], input: unknown, options: ClientOptions<T>) {
      if (ended) return Promise.reject(new LinkClosedError());
      return Promise.race([link.call(path, input, options), end]);
    },
  };
}
