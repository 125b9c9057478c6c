/** Loaded into a utility process before its entry: Electron's `process.parentPort` in place of Node's `process.send`. */
import { EventEmitter } from 'node:events';

const send = process.send?.bind(process);
if (!send) throw new Error('test host: a utility process was not forked');
delete process.send;

class ParentPort extends EventEmitter {
  #listening = false;
  override on(name: string | symbol, listener: (...args: never[]) => void): this {
    // A 'message' listener starts the port and holds the process, as in Electron.
    if (name === 'message' && !this.#listening) {
      this.#listening = true;
      process.on('message', (data) => this.emit('message', { data, ports: [] }));
    }
    return super.on(name, listener as (...args: unknown[]) => void);
  }
  postMessage(message: unknown): void {
    if (process.connected) send?.(message, undefined, undefined, () => undefined);
  }
  start(): void {}
  pause(): void {}
}

Object.defineProperty(process, 'parentPort', { value: new ParentPort() });
Object.defineProperty(process, 'type', { value: 'utility' });
// Electron ends a utility process with its parent.
process.on('disconnect', () => process.exit(1));
