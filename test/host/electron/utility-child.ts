/** Loaded into a utility process before its entry: Electron's `process.parentPort` in place of Node's `process.send`. */
import { EventEmitter } from 'node:events';
import { isMainThread } from 'node:worker_threads';

class ParentPort extends EventEmitter {
  readonly #send: NonNullable<typeof process.send>;
  #listening = false;

  constructor(send: NonNullable<typeof process.send>) {
    super();
    this.#send = send;
  }

  override on(name: string | symbol, listener: (...args: never[]) => void): this {
    // A 'message' listener starts the port and holds the process, as in Electron.
    if (name === 'message' && !this.#listening) {
      this.#listening = true;
      process.on('message', (data) => this.emit('message', { data, ports: [] }));
    }
    return super.on(name, listener as (...args: unknown[]) => void);
  }

  postMessage(message: unknown): void {
    if (process.connected) this.#send(message, undefined, undefined, () => undefined);
  }
}

// Node's workers inherit --import; Electron's have no parentPort either.
if (isMainThread) {
  const send = process.send?.bind(process);
  if (!send) throw new Error('test host: a utility process was not forked');
  delete process.send;
  Object.defineProperty(process, 'parentPort', { value: new ParentPort(send) });
  Object.defineProperty(process, 'type', { value: 'utility' });
  // Electron ends a utility process with its parent.
  process.on('disconnect', () => process.exit(1));
}
