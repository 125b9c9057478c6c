import type { LogLine } from '../contract/channels.ts';
import type { LogEntry } from '../engine/api/index.ts';

/** Longest text of one entry in UTF-16 units; longer lines go on in the next entry. */
const longest = 64 * 1024;

/** Log records → lines of text. Remembers, a stream, the bytes of a character that a partial record cut in two. */
export class LogLines {
  readonly #decoders = {
    1: new TextDecoder('utf-8', { ignoreBOM: true }),
    2: new TextDecoder('utf-8', { ignoreBOM: true }),
  };

  *of(entry: LogEntry): Generator<LogLine, void> {
    const time = Date.parse(entry.time);
    const { stream, partial, data } = entry;
    const bytes = !partial && data.at(-1) === 0x0a ? data.subarray(0, -1) : data;
    const text = this.#decoders[stream].decode(bytes, { stream: partial });
    let start = 0;
    while (text.length - start > longest) {
      let end = start + longest;
      // Never between the halves of a surrogate pair.
      if (text.charCodeAt(end - 1) >> 10 === 0x36) end--;
      yield [time, stream, text.slice(start, end), 1];
      start = end;
    }
    yield [time, stream, text.slice(start), partial ? 1 : 0];
  }
}
