import { isAbsolute } from 'node:path';
import { denied, invalid } from '../base/errors.ts';
import type { BuildMessage } from '../contract/builds.ts';
import type { BuildEvent } from '../engine/api/index.ts';
import { directoryContext } from '../engine/builder/host-context.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { failing } from './failure.ts';
import { pullTranslator } from './registries.ts';

/** Milliseconds between two tellings of how much of the context was read. */
const PACE = 100;
/** Characters of output that are passed on: a window keeps all that it gets. */
const MOST_TEXT = 4 << 20;

/** builds.*: `docker build` of a directory, for the window. */
export function buildsRouter({ engine: { images }, allowPaths }: Pick<RouterDeps, 'engine' | 'allowPaths'>) {
  return {
    build: rpc.builds.build.handler(({ input, signal }) => {
      const { directory, dockerfile, ...options } = input;
      if (!allowPaths)
        throw denied('Directories cannot be named by path from a browser', {
          hint: 'Build with the docker CLI: docker build DIRECTORY.',
        });
      if (!isAbsolute(directory)) throw invalid(`the build context ${directory} is not an absolute path`);
      const progress = { files: 0, bytes: 0 };
      const packed = (bytes: number): void => {
        progress.files++;
        progress.bytes += bytes;
      };
      const events = images.build(
        { ...options, dockerfile: dockerfile || 'Dockerfile', registryAuth: 'stored' },
        directoryContext(directory, { dockerfile, packed }),
        signal,
      );
      return failing(messages(events, progress));
    }),
  };
}

async function* messages(
  events: AsyncIterable<BuildEvent>,
  progress: { readonly files: number; readonly bytes: number },
): AsyncGenerator<BuildMessage> {
  const iterator = events[Symbol.asyncIterator]();
  const translate = pullTranslator();
  let image = '';
  let said = 0;
  try {
    // The context is read before the first event.
    const first = iterator.next();
    first.catch(() => undefined);
    for (let told = 0; !(await settled(first));) {
      if (progress.files !== told) yield { type: 'context', ...progress, done: false };
      told = progress.files;
    }
    for (let step = await first; !step.done; step = await iterator.next()) {
      if (step === (await first)) yield { type: 'context', ...progress, done: true };
      const event = step.value;
      switch (event.type) {
        case 'image':
          image = event.id;
          break;
        case 'step':
          yield event;
          break;
        case 'pull':
          {
            const message = translate(event.event);
            if (message) yield { type: 'pull', message };
          }
          break;
        case 'stream':
          if (said >= MOST_TEXT) break;
          said += event.text.length;
          yield { type: 'text', text: event.text };
          if (said >= MOST_TEXT) yield { type: 'text', text: '\n[Drydock] The rest of the output is left out.\n' };
      }
    }
  } finally {
    await iterator.return?.();
  }
  yield { type: 'done', image };
}

/** True once it is; waits for it, but not long. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const { promise: later, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), PACE);
  const done = (): boolean => true;
  try {
    return await Promise.race([promise.then(done, done), later]);
  } finally {
    clearTimeout(timer);
  }
}
