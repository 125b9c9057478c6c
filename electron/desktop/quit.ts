import type { App } from 'electron';

export interface QuitParts {
  readonly app: Pick<App, 'on' | 'quit' | 'exit'>;
  /** Milliseconds that closing may take. */
  readonly limit: number;
  /** Closing begins. */
  onBegin(): void;
  log(line: string): void;
}

/** The end of the app: what was opened is closed in reverse, once, before Electron quits; however the quit was asked for (menu, tray, signal, OS). */
export class Quit {
  readonly #parts: QuitParts;
  readonly #closers: (() => Promise<void> | void)[] = [];
  #closing: Promise<void> | undefined;
  #done = false;

  constructor(parts: QuitParts) {
    this.#parts = parts;
    parts.app.on('before-quit', (event) => {
      if (this.#done) return;
      event.preventDefault();
      void this.close().then(() => parts.app.quit());
    });
  }

  /** True from the first wish to quit on: windows no longer hide then. */
  get begun(): boolean {
    return this.#closing !== undefined;
  }

  /** Remembers how to close what has just been opened; closes it at once when the end has begun meanwhile. */
  async add(close: () => Promise<void> | void): Promise<void> {
    if (this.#closing) await close();
    else this.#closers.push(close);
  }

  /** Ends the app after an error at the start. */
  async fail(): Promise<void> {
    await this.close();
    this.#parts.app.exit(1);
  }

  /** Idempotent; resolves at the latest after the limit. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const { limit, log, onBegin } = this.#parts;
    onBegin();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        log(`closing takes longer than ${limit / 1000} s: quitting without waiting`);
        resolve();
      }, limit);
    });
    await Promise.race([this.#closeEach(), late]);
    clearTimeout(timer);
    this.#done = true;
  }

  async #closeEach(): Promise<void> {
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        this.#parts.log(`closing: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
