/** Our end of a two-way message channel, whatever carries it: a MessagePort (port.ts) or a WebSocket (socket.ts). */
export interface Link<In, Out> {
  /** Resolves when there is room for more; resolves as well when the other side is gone. */
  send(message: Out): Promise<void>;
  /** One listener. */
  onMessage(listener: (message: In) => void): void;
  /** Called once, also when this side closes. */
  onClose(listener: () => void): void;
  close(): void;
  /** Holds back the other side until `resume`, where that is possible. */
  pause(): void;
  resume(): void;
}

/** What oRPC's frames are. */
export type Frame = string | Uint8Array<ArrayBuffer>;
export type RpcLink = Link<Frame, string | Uint8Array>;
