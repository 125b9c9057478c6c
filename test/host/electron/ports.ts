import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type Electron from 'electron';

/** Takes the Node port out of a MessagePortMain for a transfer; the wrapper is dead afterwards. Set by the class below. */
export let takePort: (port: FakeMessagePortMain) => MessagePort;

/** Queues until start(), as Electron's; over a Node MessagePort, which has the structured clone and the close event. */
export class FakeMessagePortMain
  extends EventEmitter
  implements Pick<Electron.MessagePortMain, 'start' | 'close' | 'postMessage'>
{
  #port: MessagePort | undefined;
  #started = false;

  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.on('close', () => this.emit('close'));
  }

  static {
    takePort = (wrapper) => {
      const port = wrapper.#port;
      if (!port) throw new Error('Port at index 0 is already neutered');
      wrapper.#port = undefined;
      port.removeAllListeners();
      return port;
    };
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#port?.on('message', (data: unknown) => this.emit('message', { data, ports: [] }));
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    if (transfer.length > 0) throw new Error('test host: ports inside port messages are not bridged');
    if (!this.#port) throw new Error('The port has been transferred');
    this.#port.postMessage(message);
  }

  close(): void {
    this.#port?.close();
  }
}

export class FakeMessageChannelMain {
  readonly port1: FakeMessagePortMain;
  readonly port2: FakeMessagePortMain;
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new FakeMessagePortMain(port1);
    this.port2 = new FakeMessagePortMain(port2);
  }
}
