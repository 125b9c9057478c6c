/** Builds the state of the window, in dependency order, and hands out the one instance. Read this first. */
import type { WatchMessage } from '../../electron/contract/events.ts';
import { language } from '../i18n/locale.svelte.ts';
import * as words from '../i18n/words.ts';
import { chooseTransport } from '../transport/choose.ts';
import { Connection } from './connection.svelte.ts';
import { Containers } from './containers.svelte.ts';
import { Engine } from './engine.svelte.ts';
import { Images } from './images.svelte.ts';
import { Keyboard } from './keyboard.svelte.ts';
import { Operations } from './operations.svelte.ts';
import { Overlays } from './overlays.svelte.ts';
import { Removals } from './removals.svelte.ts';
import { Route } from './route.svelte.ts';
import { Selection } from './selection.svelte.ts';
import { Settings } from './settings.svelte.ts';
import { Starters } from './starters.svelte.ts';
import { StatsFeed } from './stats.svelte.ts';

const { transport, bridge } = chooseTransport();

export const desktop = bridge;
export const connection = new Connection(transport);
export const operations = new Operations();
export const removals = new Removals();
export const containers = new Containers(removals, (id) => operations.problem(id), words.endOf);
export const images = new Images(connection, removals, (key) => operations.problem(key));
export const engine = new Engine();
export const settings = new Settings(connection, operations);
export const stats = new StatsFeed((ids, signal) => connection.api.containers.stats({ ids }, { signal }));
export const starters = new Starters(
  {
    list: () => connection.api.starters.list(),
    build: (name, signal) => connection.api.starters.build({ name }, { signal }),
  },
  operations,
);
export const route = new Route();
export const overlays = new Overlays();
export const keyboard = new Keyboard();
export const containerSelection = new Selection();
export const imageSelection = new Selection();

function receive(message: WatchMessage): void {
  switch (message.type) {
    case 'snapshot':
      engine.update(message.engine);
      containers.snapshot(message.containers);
      images.snapshot(message.images);
      settings.apply(message.settings);
      stats.reconnect();
      break;
    case 'containers':
      containers.change(message.upsert, message.removed);
      stats.forget(message.removed);
      break;
    case 'images':
      images.change(message.upsert, message.removed);
      break;
    case 'engine':
      engine.update(message.engine);
      return;
    case 'settings':
      settings.apply(message.settings);
      return;
  }
  containerSelection.keep((id) => containers.get(id) !== undefined);
  imageSelection.keep((key) => images.get(key.split(' ')[0] ?? '') !== undefined);
}

/** Brings the window to life; answers its end. */
export function startApp(): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  language.system = navigator.languages;
  window.addEventListener('languagechange', () => (language.system = navigator.languages), { signal });
  document.addEventListener('visibilitychange', () => (stats.visible = !document.hidden), { signal });
  window.addEventListener('keydown', (event) => keyboard.handle(event), { signal });
  signal.addEventListener('abort', route.listen());
  void connection.run(receive, signal);
  return () => stop.abort();
}
