import type { NetAnswer } from '../../supervisor/protocol.ts';
import type { Ask } from './asker.ts';
import { isAny, isLoopback } from './address.ts';

const FIRST_FREE = 32_768;
const LAST_FREE = 60_999;

/** Answers for a guest whose network is its own loopback and nothing else. */
export function lonely(): Ask {
  const taken = new Set<string>();
  let next = FIRST_FREE;

  const free = (protocol: string): number | undefined => {
    for (let tried = FIRST_FREE; tried <= LAST_FREE; tried++) {
      const port = next;
      next = next === LAST_FREE ? FIRST_FREE : next + 1;
      if (!taken.has(`${protocol} ${port}`)) return port;
    }
    return undefined;
  };

  const listen = (protocol: string, address: string, wanted: number): NetAnswer => {
    if (!isAny(address) && !isLoopback(address)) return { error: 'notAvailable' };
    const port = wanted === 0 ? free(protocol) : wanted;
    if (port === undefined || taken.has(`${protocol} ${port}`)) return { error: 'inUse' };
    taken.add(`${protocol} ${port}`);
    return { port };
  };

  return (ask) => {
    switch (ask.ask) {
      case 'listen':
        return Promise.resolve(listen(ask.protocol, ask.address, ask.port));
      case 'unlisten':
        taken.delete(`${ask.protocol} ${ask.port}`);
        return Promise.resolve({ port: ask.port });
      case 'route':
        return Promise.resolve({ error: isLoopback(ask.address) ? 'refused' : 'unreachable' });
      case 'lookup':
        return Promise.resolve(
          ask.name.toLowerCase() === 'localhost'
            ? { addresses: ['127.0.0.1', '::1'].filter((_, at) => ask.family === 0 || ask.family === 4 + at * 2) }
            : { error: 'noName' },
        );
    }
  };
}
