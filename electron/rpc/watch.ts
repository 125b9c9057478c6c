import type { WatchMessage } from '../contract/events.ts';
import type { EngineEvent } from '../engine/api/index.ts';
import type { RouterDeps } from './deps.ts';
import { changesDisk, DiskFigure } from './disk.ts';
import { containerRow, containerRows, imageRows, summaryOf } from './rows.ts';
import { Signal, sleep } from './signal.ts';

/** How long changes are gathered before they are sent, in ms: one frame of a screen, so that create + start + die is one message. */
const mergeTime = 16;

/** What a watcher has not been told yet: names only; the values are read when it asks, so the latest wins and the queue is bounded. */
class Watcher {
  readonly containers = new Set<string>();
  readonly changed = new Signal();
  images = false;
  engine = false;
  settings = false;
  /** What it knows of the images: an image event names a tag as often as an id, so rows are compared instead. */
  readonly known = new Map<string, string>();

  get dirty(): boolean {
    return this.containers.size > 0 || this.images || this.engine || this.settings;
  }
}

/** events.watch for any number of windows, fed by one subscription to the engine that lives while somebody watches. */
export class Watch {
  readonly #deps: RouterDeps;
  readonly #disk: DiskFigure;
  readonly #watchers = new Set<Watcher>();
  #unsubscribe: (() => void) | undefined;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    this.#disk = new DiskFigure(deps.engine, () => this.#mark((watcher) => (watcher.engine = true)));
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** A container changed without an event (a start that failed leaves its error in the row). */
  touch(id: string): void {
    let full = id;
    try {
      full = this.#deps.engine.containers.get(id).id;
    } catch {
      // Gone: the event of its removal has been heard.
    }
    this.#mark((watcher) => watcher.containers.add(full));
  }

  /** One snapshot, then changes until the signal. Snapshot and subscription happen in one turn, so nothing falls between them. */
  async *watch(signal: AbortSignal | undefined): AsyncGenerator<WatchMessage, void> {
    const watcher = new Watcher();
    this.#add(watcher);
    try {
      yield this.#snapshot(watcher);
      while (!signal?.aborted) {
        if (!watcher.dirty) await watcher.changed.wait(signal);
        await sleep(mergeTime, signal);
        if (signal?.aborted) return;
        yield* this.#collect(watcher);
      }
    } finally {
      this.#remove(watcher);
    }
  }

  #add(watcher: Watcher): void {
    this.#watchers.add(watcher);
    if (this.#watchers.size > 1) return;
    const { engine, settings } = this.#deps;
    const ends = [
      engine.events.subscribe((event) => this.#heard(event)),
      settings.onChange(() => this.#mark((each) => (each.settings = true))),
    ];
    this.#unsubscribe = () => ends.forEach((end) => end());
    this.#disk.watch();
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#disk.unwatch();
    this.#disk.outdate(); // events are not heard from now on
  }

  #heard(event: EngineEvent): void {
    if (changesDisk(event)) this.#disk.outdate();
    // exec_create, exec_start, net_refuse, top, attach, resize: nothing that a row shows.
    if (event.type === 'container' && !/^(exec_|net_|top|attach|detach|resize|export|archive)/.test(event.action)) {
      const members = event.action === 'create' || event.action === 'destroy';
      this.#mark((watcher) => {
        watcher.containers.add(event.actorId);
        watcher.engine = true;
        if (members) watcher.images = true; // usedBy
      });
    } else if (event.type === 'image' || event.type === 'builder') {
      this.#mark((watcher) => {
        watcher.images = true;
        watcher.engine = true;
      });
    }
  }

  #mark(change: (watcher: Watcher) => void): void {
    for (const watcher of this.#watchers) {
      change(watcher);
      watcher.changed.fire();
    }
  }

  #summary() {
    return summaryOf(this.#deps.engine, this.#deps, this.#disk.bytes);
  }

  #snapshot(watcher: Watcher): WatchMessage {
    const { engine, settings } = this.#deps;
    const images = imageRows(engine);
    for (const row of images) watcher.known.set(row.id, JSON.stringify(row));
    return {
      type: 'snapshot',
      engine: this.#summary(),
      containers: containerRows(engine),
      images,
      settings: settings.get(),
    };
  }

  *#collect(watcher: Watcher): Generator<WatchMessage, void> {
    if (watcher.containers.size > 0) {
      const ids = [...watcher.containers];
      watcher.containers.clear();
      const rows = ids.map((id) => ({ id, row: containerRow(this.#deps.engine, id) }));
      yield {
        type: 'containers',
        upsert: rows.flatMap(({ row }) => row ?? []),
        removed: rows.filter(({ row }) => !row).map(({ id }) => id),
      };
    }
    if (watcher.images) {
      watcher.images = false;
      const message = this.#imageChanges(watcher);
      if (message) yield message;
    }
    if (watcher.engine) {
      watcher.engine = false;
      yield { type: 'engine', engine: this.#summary() };
    }
    if (watcher.settings) {
      watcher.settings = false;
      yield { type: 'settings', settings: this.#deps.settings.get() };
    }
  }

  #imageChanges({ known }: Watcher): WatchMessage | undefined {
    const rows = imageRows(this.#deps.engine);
    const there = new Set(rows.map((row) => row.id));
    const removed = [...known.keys()].filter((id) => !there.has(id));
    for (const id of removed) known.delete(id);
    const upsert = rows.filter((row) => {
      const text = JSON.stringify(row);
      if (known.get(row.id) === text) return false;
      known.set(row.id, text);
      return true;
    });
    return upsert.length + removed.length === 0 ? undefined : { type: 'images', upsert, removed };
  }
}
