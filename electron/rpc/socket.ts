import type { WebSocket } from 'ws';
import type { TextPort } from './text-port.ts';

/** Bytes that may wait in the socket before `send` makes the sender wait. */
const highWater = 256 * 1024;

/** A WebSocket of `ws` as a TextPort, with back-pressure both ways. */
export function fromWebSocket(socket: WebSocket): TextPort {
  const waiting = new Set<() => void>();
  const release = (): void => {
    for (const done of waiting) done();
    waiting.clear();
  };
  socket.once('close', release);
  socket.on('error', () => socket.terminate());
  return {
    async send(message) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(message, () => {
        if (socket.bufferedAmount < highWater) release();
      });
      if (socket.bufferedAmount < highWater) return;
      await new Promise<void>((resolve) => waiting.add(resolve));
    },
    onMessage(listener) {
      socket.on('message', (data, binary) => {
        const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
        listener(binary ? new Uint8Array(bytes) : bytes.toString('utf8'));
      });
    },
    onClose: (listener) => void socket.once('close', listener),
    close: () => socket.close(1000),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}
