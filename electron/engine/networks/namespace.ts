/**
 * What a run has of the virtual network: types only. A namespace belongs to a container that runs; its members are the runs in it (the container's own,
 * its execs, those of containers with `--network container:X`), which share addresses, ports and loopback.
 */
import type { NetAnswer, NetAsk, NetSpec, PublishedPort } from '../../supervisor/protocol.ts';

export interface NetMember {
  /** For RunSpec.net. */
  readonly spec: NetSpec;
  /** For RunListener.ask. */
  ask(ask: NetAsk): Promise<NetAnswer>;
  /** The run is over: its ports are free, its gate is gone. Idempotent. */
  leave(): void;
}

export interface NetNamespace {
  /** `runId` names the member; `ports` are opened on the host by that run. */
  member(runId: string, ports: readonly PublishedPort[]): NetMember;
}
