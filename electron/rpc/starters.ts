import type { StarterMessage, StarterRow } from '../contract/starters.ts';
import type { Starter, StarterEvent } from '../engine/api/index.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { failing } from './failure.ts';

const rowOf = ({ about, needs, image, ...starter }: Starter): StarterRow => ({
  ...starter,
  about: { ...about },
  needs: [...needs],
  image: image ?? '',
});

async function* messages(events: AsyncIterable<StarterEvent>): AsyncGenerator<StarterMessage> {
  let image = '';
  for await (const event of events) {
    if (event.type === 'image') image = event.id;
    else if (event.type === 'stream') yield { type: 'text', text: event.text };
    // A recipe names no image of a registry: nothing is pulled. Its steps are in the text.
    else if (event.type !== 'pull' && event.type !== 'step') yield event;
  }
  yield { type: 'done', image };
}

/** starters.*: images to begin with. */
export function startersRouter({ engine: { starters } }: Pick<RouterDeps, 'engine'>) {
  return {
    list: rpc.starters.list.handler(() => starters.list().map(rowOf)),
    build: rpc.starters.build.handler(({ input, signal }) => failing(messages(starters.build(input.name, signal)))),
  };
}
