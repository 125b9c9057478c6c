import { z } from 'zod';

/** Every procedure may fail with this one error (oRPC code "DRYDOCK"): the engine's sentence, what to do next, the meaning. */
export const failure = z.object({
  kind: z.enum([
    'invalid',
    'unauthorized',
    'denied',
    'notFound',
    'conflict',
    'notModified',
    'unsupported',
    'unavailable',
    'cancelled',
    'full',
    'damaged',
    'internal',
  ]),
  message: z.string(),
  hint: z.string().optional(),
});
export type Failure = z.infer<typeof failure>;
