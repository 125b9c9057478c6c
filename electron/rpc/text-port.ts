/** Either end of a two-way message channel, whatever carries it: a MessagePort (port.ts) or a WebSocket (socket.ts). */
export interface TextPort {
  /** Resolves when there is room for more; resolves as well when the other side is gone. */
  send(message: string | Uint8Array<ArrayBufferLike>): Promise<void>;
  /** One listener. Messages that came before it are kept. */
  onMessage(listener: (message: string | Uint8Array<ArrayBuffer>) => void): void;
  /** Called once, also when this side closes. */
  onClose(listener: () => void): void;
  close(): void;
  /** Holds back the other side until `resume`, where that is possible. */
  pause(): void;
  resume(): void;
}
