import { readFileSync } from 'node:fs';

const source = readFileSync(new URL('../page/codec.js', import.meta.url), 'utf8');

/** page/codec.js, the same text as in the page. */
export const codec = new Function(`${source}; return hostCodec;`)() as {
  encode(value: unknown): string;
  decode(text: string): unknown;
};
