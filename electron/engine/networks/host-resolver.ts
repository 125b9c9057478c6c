/**
 * Names of the world, as the host resolves them. Few at a time, since getaddrinfo occupies threads that files need as well; answers are kept for a
 * moment, and one question is asked once however many ask it.
 */
import { lookup } from 'node:dns';

export type HostAnswer = { readonly addresses: readonly string[] } | { readonly error: 'noName' | 'tryAgain' };

/** node:dns.lookup with `all`. */
export type Resolve = (
  name: string,
  family: 0 | 4 | 6,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly string[]) => void,
) => void;

const atOnce = 2;
const maxWaiting = 256;
const maxKept = 1024;
/** Milliseconds that an answer is kept: long enough for a burst of connections, short enough for names that move. */
const keep = { found: 5000, absent: 1000 };
const patience = 20_000;
const tryAgain: HostAnswer = { error: 'tryAgain' };

const system: Resolve = (name, family, done) =>
  lookup(name, { family, all: true, order: 'ipv4first' }, (error, found) =>
    done(error, error ? [] : found.map(({ address }) => address)),
  );

export class HostResolver {
  readonly #resolve: Resolve;
  readonly #now: () => number;
  readonly #kept = new Map<string, { readonly answer: HostAnswer; readonly until: number }>();
  readonly #asked = new Map<string, Promise<HostAnswer>>();
  readonly #waiting: (() => void)[] = [];
  /** To be answered when the engine closes. */
  readonly #unanswered = new Set<(answer: HostAnswer) => void>();
  #running = 0;
  #isClosed = false;

  constructor(resolve: Resolve = system, now: () => number = () => performance.now()) {
    this.#resolve = resolve;
    this.#now = now;
  }

  /** IPv4 first. `name` is a host name (rules.ts normalName). Never rejects; `tryAgain` also when too many ask, after 20 s, and once it is closed. */
  lookup(name: string, family: 0 | 4 | 6): Promise<HostAnswer> {
    const key = `${family} ${name}`;
    const kept = this.#kept.get(key);
    if (kept && kept.until > this.#now()) return Promise.resolve(kept.answer);
    this.#kept.delete(key);
    const asked = this.#asked.get(key);
    if (asked) return asked;
    if (this.#isClosed || this.#waiting.length >= maxWaiting) return Promise.resolve(tryAgain);
    const answer = this.#ask(name, family).then((found) => {
      this.#asked.delete(key);
      this.#keep(key, found);
      return found;
    });
    this.#asked.set(key, answer);
    return answer;
  }

  /** Who waits is answered at once; what the system still does is not waited for. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
    for (const resolve of this.#unanswered) resolve(tryAgain);
  }

  #ask(name: string, family: 0 | 4 | 6): Promise<HostAnswer> {
    const { promise, resolve } = Promise.withResolvers<HostAnswer>();
    const timer = setTimeout(() => resolve(tryAgain), patience);
    timer.unref();
    this.#unanswered.add(resolve);
    const begin = (): void => {
      this.#running++;
      this.#resolve(name, family, (error, addresses) => {
        this.#running--;
        this.#waiting.shift()?.();
        resolve(answerOf(error, addresses));
      });
    };
    if (this.#running < atOnce) begin();
    else this.#waiting.push(begin);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#unanswered.delete(resolve);
    });
  }

  #keep(key: string, answer: HostAnswer): void {
    if (answer === tryAgain) return;
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= maxKept && !oldest.done) this.#kept.delete(oldest.value);
    this.#kept.set(key, { answer, until: this.#now() + ('addresses' in answer ? keep.found : keep.absent) });
  }
}

function answerOf(error: NodeJS.ErrnoException | null, addresses: readonly string[]): HostAnswer {
  if (!error) return { addresses };
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_NONAME':
      return { error: 'noName' };
    case 'ENODATA':
    case 'EAI_NODATA':
    case 'EAI_ADDRFAMILY':
      return { addresses: [] };
    default:
      return tryAgain;
  }
}
