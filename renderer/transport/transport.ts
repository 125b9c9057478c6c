import type { ContractRouterClient } from '@orpc/contract';
import type { ChannelMessage, ChannelRequest } from '../../electron/contract/channels.ts';
import type { Contract } from '../../electron/contract/index.ts';
import type { StagedModule } from '../../electron/contract/modules.ts';

/** The engine as the window sees it: every procedure of the contract. */
export type Api = ContractRouterClient<Contract>;

/** One log or terminal (electron/contract/channels.ts). Messages sent before it is open wait. */
export interface Channel {
  send(message: ChannelRequest): void;
  /** Called for each message; `undefined` once, when the channel has ended without our asking. */
  listen(listener: (message: ChannelMessage | undefined) => void): void;
  close(): void;
}

/** One live link to an engine. */
export interface Session {
  readonly api: Api;
  /** Resolves when the link is gone, whoever ended it. */
  readonly closed: Promise<void>;
  openChannel(): Channel;
  /** Hands a file to the engine. `progress` is a share from 0 to 1, where it can be known. */
  stage(file: File, progress: (share: number) => void): Promise<StagedModule>;
  close(): void;
}

export interface Transport {
  readonly kind: 'desktop' | 'web';
  connect(): Promise<Session>;
}
