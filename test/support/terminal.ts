import { type ChildProcess, spawn } from 'node:child_process';

/** How long a program may take to show something, ms. */
const limit = 30_000;

/** A program that runs in a terminal of its own (util-linux `script`), and a hand at its keyboard. */
export class Terminal {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #shown = '';
  /** What `until` has looked at. */
  #seen = 0;
  #changed: () => void = () => undefined;

  /** @param command a shell's command line */
  constructor(command: string, env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn('script', ['-qefc', command, '/dev/null'], { env: { ...process.env, ...env } });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text;
      this.#changed();
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        resolve(code);
        this.#changed();
      });
    });
    this.#ended.catch(() => undefined);
    this.#child.stdin?.on('error', () => undefined);
  }

  /** All that was shown so far. */
  get shown(): string {
    return this.#shown;
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits until this is shown after what the last call waited for; answers what was shown in between. @throws when the program ends or takes too long */
  async until(text: string): Promise<string> {
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), limit);
    try {
      for (;;) {
        const at = this.#shown.indexOf(text, this.#seen);
        if (at >= 0) {
          const between = this.#shown.slice(this.#seen, at);
          this.#seen = at + text.length;
          return between;
        }
        if (this.#child.exitCode !== null || this.#child.signalCode !== null)
          throw new Error(`${JSON.stringify(text)} was not shown: ${JSON.stringify(this.#shown.slice(this.#seen))}`);
        await new Promise<void>((resolve) => (this.#changed = resolve));
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  /** The exit code of the program. @throws when it takes too long */
  async end(): Promise<number | null> {
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), limit);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Ends the program if it still runs. */
  close(): void {
    this.#child.kill('SIGKILL');
  }
}
