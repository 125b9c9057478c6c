/** The runner's line to the engine: Node's child process channel, or the parent port of an Electron utility process. */
import type { FromRunner, ToRunner } from '../supervisor/protocol.ts';

export interface ParentPort {
  post(message: FromRunner): void;
  onMessage(listener: (message: ToRunner) => void): void;
  /** The engine is gone. */
  onClose(listener: () => void): void;
}

/** The part of Electron's process.parentPort that is used; there, a listener gets an event. */
interface ElectronParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
}

/** @throws when the process was started by hand, without a parent to talk to. */
export function openParentPort(): ParentPort {
  const electron = (process as { parentPort?: ElectronParentPort }).parentPort;
  if (electron) {
    return {
      post: (message) => electron.postMessage(message),
      onMessage: (listener) => electron.on('message', (event) => listener(event.data as ToRunner)),
      // A utility process is ended together with the app.
      onClose: () => undefined,
    };
  }
  if (!process.send) throw new Error('a runner is started by the engine, not by hand');
  const send = process.send.bind(process);
  return {
    post: (message) => {
      // The channel may close at any time; 'disconnect' tells.
      if (process.connected) send(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => process.on('message', (message) => listener(message as ToRunner)),
    onClose: (listener) => process.on('disconnect', listener),
  };
}
