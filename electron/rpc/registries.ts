import type { RegistryAccount, TransferMessage } from '../contract/registries.ts';
import type { PullEvent, PushEvent } from '../engine/api/index.ts';
import { rpc, type RouterDeps } from './deps.ts';
import { failing } from './failure.ts';

const hubKey = 'https://index.docker.io/v1/';
const shown = (server: string): string => (server === hubKey ? 'docker.io' : server);
const short = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);

type LayerEvent = Extract<PullEvent | PushEvent, { type: 'layer' }>;

const layerMessage = (event: LayerEvent): TransferMessage => ({
  type: 'layer',
  id: short(event.id),
  state: event.state,
  current: 'current' in event ? event.current : 0,
  total: 'total' in event ? event.total : 0,
  retryAfter: event.state === 'retrying' ? event.after : 0,
});

/** For the events of one pull, in their order: the digest is told with the end. */
export function pullTranslator(): (event: PullEvent) => TransferMessage | undefined {
  let digest = '';
  return (event) => {
    if (event.type === 'begin') return { type: 'begin', repository: event.repository };
    if (event.type === 'layer') return layerMessage(event);
    if (event.type === 'done')
      return { type: 'done', reference: event.reference, digest, image: event.image, isNew: event.isNew };
    ({ digest } = event);
    return undefined;
  };
}

async function* pullMessages(events: AsyncIterable<PullEvent>): AsyncGenerator<TransferMessage> {
  const translate = pullTranslator();
  for await (const event of events) {
    const message = translate(event);
    if (message) yield message;
  }
}

async function* pushMessages(events: AsyncIterable<PushEvent>): AsyncGenerator<TransferMessage> {
  let repository = '';
  for await (const event of events) {
    if (event.type === 'begin') {
      ({ repository } = event);
      yield { type: 'begin', repository };
    } else if (event.type === 'layer') yield layerMessage(event);
    else yield { type: 'done', reference: `${repository}:${event.tag}`, digest: event.digest, image: '', isNew: false };
  }
}

/** registries.*: log-ins and transfers of the window, in the name of who is logged in. */
export function registriesRouter({ engine }: RouterDeps) {
  const { images, registry } = engine;
  const accounts = async (): Promise<RegistryAccount[]> =>
    (await registry.accounts()).map((account) => ({ ...account, server: shown(account.server) }));
  return {
    accounts: rpc.registries.accounts.handler(accounts),
    login: rpc.registries.login.handler(async ({ input: { server, username, password }, signal }) => {
      const key = await registry.login({ serverAddress: server, username, password }, signal);
      return { server: shown(key), username, keptBy: 'drydock' };
    }),
    logout: rpc.registries.logout.handler(({ input }) => registry.logout(input.server)),
    pull: rpc.registries.pull.handler(({ input: { reference, platform, allTags }, signal }) =>
      failing(pullMessages(images.pull(reference, { platform, allTags, auth: 'stored' }, signal))),
    ),
    push: rpc.registries.push.handler(({ input, signal }) =>
      failing(pushMessages(images.push(input.reference, { auth: 'stored' }, signal))),
    ),
    tags: rpc.registries.tags.handler(async ({ input, signal }) => [
      ...(await registry.tags(input.repository, 'stored', signal)),
    ]),
    pushFormat: rpc.registries.pushFormat.handler(({ input }) => ({
      format: images.pushFormat(input.reference) ?? 'stored',
    })),
    setPushFormat: rpc.registries.setPushFormat.handler(({ input: { reference, format } }) =>
      images.setPushFormat(reference, format === 'stored' ? undefined : format),
    ),
  };
}
