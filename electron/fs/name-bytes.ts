import { isUtf8 } from 'node:buffer';

/**
 * Linux takes any bytes but '/' and NUL as a name. Here names are strings, so a byte that is part of no UTF-8 becomes a lone surrogate, U+DC80 for 0x80 to
 * U+DCFF for 0xff (as Python's "surrogateescape" has it), and the same byte again when the kernel or a guest is told the name.
 */
const ESCAPE = 0xdc00;
/** A low surrogate that no high one goes before. */
const escaped = /(?<![\ud800-\udbff])[\udc80-\udcff]/;
const allEscaped = /(?<![\ud800-\udbff])[\udc80-\udcff]/g;

/** How many bytes the character that begins at `at` has; 0 when none does. */
function characterAt(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++)
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
}

/** The string for a name's bytes. */
export function decodeName(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let text = '';
  for (let at = 0; at < buffer.length;) {
    const length = characterAt(buffer, at);
    if (length === 0) text += String.fromCharCode(ESCAPE + (buffer[at] as number));
    else text += buffer.toString('utf8', at, at + length);
    at += length || 1;
  }
  return text;
}

/** The name as node:fs takes it: itself, or its bytes when they are no UTF-8. */
export function encodeName(name: string): string | Buffer {
  if (!escaped.test(name)) return name;
  const parts: Buffer[] = [];
  let from = 0;
  for (const { index } of name.matchAll(allEscaped)) {
    parts.push(Buffer.from(name.slice(from, index)), Buffer.of(name.charCodeAt(index) - ESCAPE));
    from = index + 1;
  }
  return Buffer.concat([...parts, Buffer.from(name.slice(from))]);
}

/** Bytes of a name, as the kernel counts them. */
export function nameLength(name: string): number {
  const encoded = encodeName(name);
  return typeof encoded === 'string' ? Buffer.byteLength(encoded) : encoded.length;
}
