/** A small Chrome DevTools Protocol client: one WebSocket to the browser, flat sessions. */

export interface CdpEvent {
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly sessionId: string | undefined;
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly sessionId?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export class Cdp {
  readonly #socket: WebSocket;
  readonly #listeners = new Set<(event: CdpEvent) => void>();
  readonly #pending = new Map<number, { method: string; resolve: (v: never) => void; reject: (e: Error) => void }>();
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', (event) => this.#receive(JSON.parse(String(event.data)) as Reply));
    socket.addEventListener('close', () => {
      for (const { reject, method } of this.#pending.values()) reject(new Error(`${method}: the browser is gone`));
      this.#pending.clear();
    });
  }

  static async connect(url: string): Promise<Cdp> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`no browser at ${url}`)));
    });
    return new Cdp(socket);
  }

  /** Sends a command; the order of sends is the order in which the browser handles them. */
  send<T = Record<string, unknown>>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error(`${method}: the browser is gone`));
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    });
  }

  /** Returns the unsubscriber. */
  subscribe(listener: (event: CdpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#socket.close();
  }

  #receive(reply: Reply): void {
    if (reply.id === undefined) {
      const event = { method: reply.method ?? '', params: reply.params ?? {}, sessionId: reply.sessionId };
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const call = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.error) call?.reject(new Error(`${call.method}: ${reply.error.message}`));
    else call?.resolve((reply.result ?? {}) as never);
  }
}
