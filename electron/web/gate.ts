/**
 * Who may come in. Loopback is shared with every user of the machine and with every page the browser has open, so: `Host` must be ours (DNS
 * rebinding), `Origin` must be ours when it is there (other pages), and every request needs the cookie that the printed token was exchanged for.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const secret = (): string => randomBytes(32).toString('base64url');

/** Secrets are kept and compared as digests: same length for timingSafeEqual, and no secret in a heap dump. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Cookies that are good at the same time; the oldest goes. One for each browser that was let in. */
const maxSessions = 64;

export class Gate {
  readonly #port: number;
  /** Cookies ignore ports: without the port in its name, two Drydocks would overwrite each other's. */
  readonly #cookieName: string;
  #token: { readonly text: string; readonly hash: Buffer };
  #sessions: Buffer[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#cookieName = `drydock-${port}`;
    this.#token = Gate.#fresh();
  }

  static #fresh(): { text: string; hash: Buffer } {
    const text = secret();
    return { text, hash: digest(text) };
  }

  /** The link that lets one browser in. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#token.text}`;
  }

  /** True when the request names us and not a name that somebody made point at 127.0.0.1. */
  knowsHost(headers: IncomingHttpHeaders): boolean {
    return this.#hosts().includes(headers.host ?? '');
  }

  /** True when no page, or our own page, sent it. */
  allowsOrigin(headers: IncomingHttpHeaders): boolean {
    const { origin } = headers;
    const site = headers['sec-fetch-site'];
    if (origin !== undefined) return origin === `http://${headers.host}`;
    return site === undefined || site === 'same-origin' || site === 'none';
  }

  /** Exchanges the token: the Set-Cookie value, or undefined when it is not (or no longer) the token. A new token takes its place at once. */
  exchange(token: string): string | undefined {
    if (!timingSafeEqual(digest(token), this.#token.hash)) return undefined;
    this.#token = Gate.#fresh();
    const session = secret();
    this.#sessions = [...this.#sessions, digest(session)].slice(-maxSessions);
    return `${this.#cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** True when the request carries a cookie of this process. */
  admits(headers: IncomingHttpHeaders): boolean {
    return this.#cookies(headers).some((value) => {
      const given = digest(value);
      // Every session is compared, so that time does not tell which one was near.
      return this.#sessions.filter((session) => timingSafeEqual(session, given)).length > 0;
    });
  }

  #hosts(): string[] {
    const names = ['127.0.0.1', 'localhost'];
    return names.flatMap((name) => (this.#port === 80 ? [name, `${name}:80`] : [`${name}:${this.#port}`]));
  }

  #cookies(headers: IncomingHttpHeaders): string[] {
    const prefix = `${this.#cookieName}=`;
    return (headers.cookie ?? '')
      .split(/;\s*/)
      .filter((pair) => pair.startsWith(prefix))
      .map((pair) => pair.slice(prefix.length));
  }
}
