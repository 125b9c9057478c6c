import { untrack } from 'svelte';
import type { ChannelMessage } from '../../electron/contract/channels.ts';
import { isoTime } from '../i18n/format.ts';
import type { Channel } from '../transport/transport.ts';
import { plain } from './ansi.ts';
import { keptLines, LogBuffer, type Line } from './log-buffer.ts';
import { LogLayout, rowsOf } from './log-layout.ts';
import { hits, matcher, nextHit, type Matcher, type Query } from './log-search.ts';

/** Messages under way; each is at most 2,000 lines, so a screen never waits and memory never fills. */
const credits = 8;
/** ms between drawings while a log is being caught up with: drawing every batch would take longer than reading. */
const loadingPace = 100;
/** Lines searched at a time; the page stays alive between. */
const slice = 8000;

export type LogStatus = 'loading' | 'live' | 'ended' | 'lost' | 'failed';

/**
 * One log on screen: reads the channel (a message a credit, credits given back a frame later), keeps the last lines, and knows which are shown
 * and which a search hits. Nothing here is a signal a line: `version` grows when anything changed, and the view redraws its 50 lines.
 */
export class LogSession {
  readonly buffer = new LogBuffer();
  readonly layout = new LogLayout();
  #version = $state(0);
  #status = $state<LogStatus>('loading');
  #failure = $state<{ message: string; hint?: string } | undefined>();
  #query = $state.raw<Query>({ text: '', regex: false, matchCase: false });
  #stream = $state<0 | 1 | 2>(0);
  #onlyMatches = $state(false);
  #matcher: Matcher | undefined;
  /** Numbers of the lines that the search hits, in order. */
  #found: number[] = [];
  #searched = 0;
  #searching: ReturnType<typeof setTimeout> | undefined;
  /** The line of the current hit, −1 = none. */
  #current = $state(-1);
  /** Cells a row when lines are wrapped, 0 = not wrapped. */
  #columns = 0;
  #channel: Channel | undefined;
  /** Rows that fell off the top since the view last asked: it moves its scroll position by them. */
  #dropped = 0;
  #drawnAt = 0;
  /** The log before this line was not asked for. */
  #cutAtStart = $state(false);

  /** Grows with every change of anything that is drawn. */
  get version(): number {
    return this.#version;
  }
  get status(): LogStatus {
    return this.#status;
  }
  get failure(): { message: string; hint?: string } | undefined {
    return this.#failure;
  }
  get query(): Query {
    return this.#query;
  }
  get stream(): 0 | 1 | 2 {
    return this.#stream;
  }
  get onlyMatches(): boolean {
    return this.#onlyMatches;
  }
  get found(): readonly number[] {
    return this.#found;
  }
  get current(): number {
    return this.#current;
  }
  get pattern(): RegExp | undefined {
    void this.#query;
    return this.#matcher && 'pattern' in this.#matcher ? this.#matcher.pattern : undefined;
  }
  get patternError(): string | undefined {
    void this.#query;
    return this.#matcher && 'error' in this.#matcher ? this.#matcher.error : undefined;
  }
  /** Older lines exist that are not here: they fell out of the window's memory, or were never asked for. */
  get cut(): boolean {
    void this.#version;
    return this.#cutAtStart || this.buffer.first > 0;
  }
  get stillSearching(): boolean {
    void this.#version;
    return this.#searching !== undefined;
  }

  /** Reads a container's log from `tail` lines before its end on, and follows it. */
  open(channel: Channel, id: string, tail = keptLines): void {
    this.close();
    this.buffer.clear();
    this.#status = 'loading';
    this.#failure = undefined;
    this.#cutAtStart = false;
    // Untracked, here and below: an effect that opens or wraps a log must not run again because of what that changed.
    untrack(() => this.#rebuild());
    this.#channel = channel;
    channel.listen((message) => this.#receive(message, tail));
    channel.send({ t: 'logs', id, tail, follow: true });
    channel.send({ t: 'credit', n: credits });
  }

  fail(message: string, hint?: string): void {
    this.#status = 'failed';
    this.#failure = hint === undefined ? { message } : { message, hint };
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
    clearTimeout(this.#searching);
    this.#searching = undefined;
  }

  search(query: Query): void {
    this.#query = query;
    this.#matcher = matcher(query);
    this.#rebuild();
  }
  show(stream: 0 | 1 | 2): void {
    this.#stream = stream;
    this.#rebuild();
  }
  filter(onlyMatches: boolean): void {
    this.#onlyMatches = onlyMatches;
    this.#rebuild();
  }
  wrapAt(columns: number): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    untrack(() => this.#rebuild());
  }

  /** Goes to the next or previous hit from `from` (a line number), or from the current one. Answers its line, −1 = none. */
  step(direction: 1 | -1, from: number): number {
    const start = this.#current >= 0 ? this.#current + direction : from;
    const at = nextHit(this.#found, start, direction);
    this.#current = this.#found[at] ?? -1;
    this.#version++;
    return this.#current;
  }
  /** "3rd of 12": the place of the current hit, from 1; 0 = none. */
  get place(): number {
    void this.#version;
    if (this.#current < 0) return 0;
    const at = nextHit(this.#found, this.#current, 1);
    return this.#found[at] === this.#current ? at + 1 : 0;
  }

  /** Rows that were dropped from the top since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** All shown lines as text, for copy and export. */
  text(withTimes: boolean): string {
    const out: string[] = [];
    for (let i = 0; i < this.layout.length; i++) {
      const line = this.buffer.at(this.layout.number(i));
      if (line) out.push(withTimes ? `${isoTime(line.time)} ${plain(line.text)}` : plain(line.text));
    }
    return out.length === 0 ? '' : `${out.join('\n')}\n`;
  }

  #receive(message: ChannelMessage | undefined, tail: number): void {
    if (!message) {
      if (this.#status === 'live' || this.#status === 'loading') this.#status = 'lost';
      return;
    }
    switch (message.t) {
      case 'lines': {
        const before = this.buffer.end;
        const grown = this.buffer.push(message.lines);
        this.#take(before, grown);
        // A credit a frame: at most 2,000 lines a credit, and none at all while the window is out of sight.
        const channel = this.#channel;
        requestAnimationFrame(() => channel?.send({ t: 'credit', n: 1 }));
        // What is left out here is drawn with the next batch, or with 'caughtUp'.
        if (this.#status === 'loading' && performance.now() - this.#drawnAt < loadingPace) return;
        this.#drawnAt = performance.now();
        break;
      }
      case 'caughtUp':
        this.#status = 'live';
        if (this.buffer.end >= tail && this.buffer.first === 0) this.#cutAtStart = true;
        break;
      case 'end':
        this.#status = 'ended';
        break;
      case 'error':
        this.fail(message.message, message.hint);
        break;
      case 'output':
        break;
    }
    this.#version++;
  }

  /** New lines from `from` on, and older ones that grew. */
  #take(from: number, grown: readonly number[]): void {
    const { first } = this.buffer;
    this.#dropped += this.layout.dropBefore(first);
    if (this.#found.length > 0 && (this.#found[0] ?? 0) < first)
      this.#found = this.#found.filter((number) => number >= first);
    for (const number of grown) {
      const line = this.buffer.at(number);
      if (line) this.layout.resize(number, this.#rows(line));
    }
    if (!this.#filtersByHit)
      for (let number = Math.max(from, first); number < this.buffer.end; number++) {
        const line = this.buffer.at(number) as Line;
        if (this.#onStream(line)) this.layout.push(number, this.#rows(line));
      }
    if (this.pattern && this.#searching === undefined) this.#searchSlice();
  }

  get #filtersByHit(): boolean {
    return this.#onlyMatches && this.pattern !== undefined;
  }
  #onStream(line: Line): boolean {
    return this.#stream === 0 || line.stream === this.#stream;
  }
  #rows(line: Line): number {
    return this.#columns === 0 ? 1 : rowsOf(plain(line.text), this.#columns);
  }

  #rebuild(): void {
    clearTimeout(this.#searching);
    this.#searching = undefined;
    this.#found = [];
    this.#current = -1;
    this.#dropped = 0;
    this.layout.clear();
    this.#searched = this.buffer.first;
    this.#take(this.buffer.first, []);
    this.#version++;
  }

  #searchSlice(): void {
    this.#searching = undefined;
    const { pattern } = this;
    if (!pattern) return;
    const start = Math.max(this.#searched, this.buffer.first);
    const end = Math.min(this.buffer.end, start + slice);
    for (let number = start; number < end; number++) {
      const line = this.buffer.at(number) as Line;
      if (!this.#onStream(line) || !hits(plain(line.text), pattern)) continue;
      this.#found.push(number);
      if (this.#onlyMatches) this.layout.push(number, this.#rows(line));
    }
    this.#searched = end;
    if (end < this.buffer.end) this.#searching = setTimeout(() => this.#searchSlice(), 0);
    this.#version++;
  }
}
