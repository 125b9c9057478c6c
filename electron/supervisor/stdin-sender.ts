import { STDIN_WINDOW } from './protocol.ts';

const CHUNK = 1 << 16;

/** Keeps stdin in order and at most STDIN_WINDOW bytes unacknowledged. */
export class StdinSender {
  readonly #send: (bytes: Uint8Array | null) => void;
  #inFlight = 0;
  #tail: Promise<void> = Promise.resolve();
  #room: (() => void) | undefined;
  #stopped = false;
  #ended = false;
  #opened!: () => void;

  /** `send`: bytes, or null for the end. Nothing is sent before `open`. */
  constructor(send: (bytes: Uint8Array | null) => void) {
    this.#send = send;
    this.#tail = new Promise((resolve) => (this.#opened = resolve));
  }

  open(): void {
    this.#opened();
  }

  /** Resolves when everything is sent, that is when there is room for more. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#stopped || this.#ended) return Promise.resolve();
    // A copy: the caller may use its buffer again, and a small view of a large buffer would travel whole.
    const copy = new Uint8Array(bytes);
    this.#tail = this.#tail.then(async () => {
      for (let at = 0; at < copy.length && !this.#stopped; at += CHUNK) {
        const chunk = copy.slice(at, at + CHUNK);
        while (this.#inFlight + chunk.length > STDIN_WINDOW && !this.#stopped)
          await new Promise<void>((resolve) => (this.#room = resolve));
        if (this.#stopped) return;
        this.#inFlight += chunk.length;
        this.#send(chunk);
      }
    });
    return this.#tail;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tail = this.#tail.then(() => {
      if (!this.#stopped) this.#send(null);
    });
  }

  acknowledge(bytes: number): void {
    this.#inFlight -= bytes;
    this.#wake();
  }

  /** The run is over: whoever waits is let go. */
  stop(): void {
    this.#stopped = true;
    this.#opened();
    this.#wake();
  }

  #wake(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.();
  }
}
