import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

const name = z.string().min(1).max(1024);

/**
 * Of a pull or a push, in order. Layers go on side by side; `id` is twelve digits. At most ten progress messages a second for each layer; a later message of a
 * layer replaces an earlier one. The last message is `done` (for a push without a tag: one for each tag); a failure ends the stream with DRYDOCK.
 */
export const transferMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('begin'), repository: z.string() }),
  z.object({
    type: z.literal('layer'),
    id: z.string(),
    state: z.enum([
      'pulling',
      'waiting',
      'downloading',
      'verifying',
      'downloaded',
      'extracting',
      'complete',
      'exists',
      'preparing',
      'pushing',
      'pushed',
      'mounted',
      'retrying',
    ]),
    /** Bytes; 0 where they mean nothing. */
    current: z.number(),
    total: z.number(),
    /** Milliseconds until it goes on; 0 unless retrying. */
    retryAfter: z.number(),
  }),
  z.object({
    type: z.literal('done'),
    /** The full name of what was moved. */
    reference: z.string(),
    /** Of the manifest, "sha256:…". */
    digest: z.string(),
    /** Pulls only: the image's id, and false when it was here already. */
    image: z.string(),
    isNew: z.boolean(),
  }),
]);
export type TransferMessage = z.infer<typeof transferMessage>;

export const registryAccount = z.object({
  /** As `docker login` names it; Docker Hub is "docker.io". */
  server: z.string(),
  /** '' = only a credential helper knows. */
  username: z.string(),
  /** 'docker' = kept by `docker login`: used here, changed there. */
  keptBy: z.enum(['drydock', 'docker']),
});
export type RegistryAccount = z.infer<typeof registryAccount>;

const base = oc.errors({ DRYDOCK: { data: failure } });

export const registries = {
  accounts: base.output(z.array(registryAccount)),
  /** Asks the registry first; what it does not take is not kept. */
  login: base
    .input(z.object({ server: z.string().max(255), username: name, password: z.string().min(1).max(65_536) }))
    .output(registryAccount),
  logout: base.input(z.object({ server: z.string().max(255) })).output(z.void()),
  /** Ends when the page stops listening: that is how a pull is cancelled. */
  pull: base
    .input(z.object({ reference: name, platform: z.string().max(64).optional(), allTags: z.boolean().optional() }))
    .output(eventIterator(transferMessage)),
  push: base.input(z.object({ reference: name })).output(eventIterator(transferMessage)),
  tags: base.input(z.object({ repository: name })).output(z.array(z.string())),
  /** What pushes under this name send: 'stored' = the image as it is. */
  pushFormat: base
    .input(z.object({ reference: name }))
    .output(z.object({ format: z.enum(['stored', 'image', 'artifact']) })),
  setPushFormat: base
    .input(z.object({ reference: name, format: z.enum(['stored', 'image', 'artifact']) }))
    .output(z.void()),
};
