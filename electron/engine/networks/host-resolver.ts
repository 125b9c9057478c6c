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
/** Of one asker: names whose servers never answer must not keep others from theirs. */
const atOnceEach = 1;
const maxWaiting = 256;
const maxKept = 1024;
/** Milliseconds that an answer is kept: long enough for a burst of connections, short enough for names that move. */
const keep = { found: 5000, absent: 1000 };
const tryAgain: HostAnswer = { error: 'tryAgain' };

const system: Resolve = (name, family, done) =>
  lookup(name, { family, all: true, order: 'ipv4first' }, (error, found) =>
    done(error, error ? [] : found.map(({ address }) => address)),
  );

interface Waiting {
  readonly asker: string;
  begin(): void;
}

export class HostResolver {
  readonly #resolve: Resolve;
  readonly #now: () => number;
  readonly #patience: number;
  readonly #kept = new Map<string, { readonly answer: HostAnswer; readonly until: number }>();
  readonly #asked = new Map<string, Promise<HostAnswer>>();
  #waiting: Waiting[] = [];
  /** To be answered when the engine closes. */
  readonly #unanswered = new Set<(answer: HostAnswer) => void>();
  /** By asker. */
  readonly #running = new Map<string, number>();
  #isClosed = false;

  /** `now` and `patience` in milliseconds. */
  constructor(resolve: Resolve = system, now: () => number = () => performance.now(), patience = 20_000) {
    this.#resolve = resolve;
    this.#now = now;
    this.#patience = patience;
  }

  /** IPv4 first. `name` is a host name (rules.ts normalName), `asker` who wants to know. Never rejects; `tryAgain` also when too many ask, after 20 s, and once it is closed. */
  lookup(name: string, family: 0 | 4 | 6, asker = ''): Promise<HostAnswer> {
    const key = `${family} ${name}`;
    const kept = this.#kept.get(key);
    if (kept && kept.until > this.#now()) return Promise.resolve(kept.answer);
    this.#kept.delete(key);
    const asked = this.#asked.get(key);
    if (asked) return asked;
    if (this.#isClosed || this.#waiting.length >= maxWaiting) return Promise.resolve(tryAgain);
    const answer = this.#ask(name, family, asker).then((found) => {
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
    this.#waiting = [];
    for (const resolve of this.#unanswered) resolve(tryAgain);
  }

  #ask(name: string, family: 0 | 4 | 6, asker: string): Promise<HostAnswer> {
    const { promise, resolve } = Promise.withResolvers<HostAnswer>();
    const timer = setTimeout(() => resolve(tryAgain), this.#patience);
    timer.unref();
    this.#unanswered.add(resolve);
    const begin = (): void => {
      this.#count(asker, 1);
      this.#resolve(name, family, (error, addresses) => {
        this.#count(asker, -1);
        this.#next();
        resolve(answerOf(error, addresses));
      });
    };
    const waiting = { asker, begin };
    this.#waiting.push(waiting);
    this.#next();
    return promise.finally(() => {
      clearTimeout(timer);
      // Nobody wants to know any more.
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      this.#unanswered.delete(resolve);
    });
  }

  #next(): void {
    const running = [...this.#running.values()].reduce((sum, each) => sum + each, 0);
    if (running >= atOnce) return;
    const at = this.#waiting.findIndex(({ asker }) => (this.#running.get(asker) ?? 0) < atOnceEach);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.begin();
  }

  #count(asker: string, change: 1 | -1): void {
    const running = (this.#running.get(asker) ?? 0) + change;
    if (running > 0) this.#running.set(asker, running);
    else this.#running.delete(asker);
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
