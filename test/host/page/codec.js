/**
 * Structured-clone values as JSON text, for what crosses the DevTools connection (which carries text only). The same file runs in the page (put
 * before isolated-world.js) and, through codec.ts, in the app process. Functions and symbols throw, as Electron's IPC does.
 */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- used by the scripts that are put after it
const hostCodec = (() => {
  const tag = '$type';

  /** @param {Uint8Array} bytes */
  const toBase64 = (bytes) => {
    let text = '';
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(text);
  };
  /** @param {string} text */
  const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  /** @param {any} value @returns {any} */
  const pack = (value) => {
    if (value === undefined) return { [tag]: 'undefined' };
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : { [tag]: 'number', v: String(value) };
    if (typeof value === 'bigint') return { [tag]: 'bigint', v: String(value) };
    if (typeof value === 'function' || typeof value === 'symbol')
      throw new TypeError(`An object could not be cloned: ${String(value)}`);
    if (Array.isArray(value)) return value.map(pack);
    if (value instanceof Date) return { [tag]: 'date', v: value.getTime() };
    if (value instanceof Error) return { [tag]: 'error', name: value.name, v: value.message };
    if (value instanceof Map) return { [tag]: 'map', v: [...value].map(pack) };
    if (value instanceof Set) return { [tag]: 'set', v: [...value].map(pack) };
    if (value instanceof ArrayBuffer) return { [tag]: 'buffer', v: toBase64(new Uint8Array(value)) };
    if (ArrayBuffer.isView(value))
      return { [tag]: 'bytes', v: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
    if (typeof Blob === 'function' && value instanceof Blob)
      throw new TypeError('An object could not be cloned: a Blob or File does not reach the main process');
    /** @type {Record<string, any>} */
    const out = {};
    for (const [key, item] of Object.entries(value)) out[key] = pack(item);
    return tag in value ? { [tag]: 'object', v: out } : out;
  };

  /** @param {any} value @returns {any} */
  const unpack = (value) => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(unpack);
    switch (value[tag]) {
      case undefined:
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpack(item)]));
      case 'undefined':
        return undefined;
      case 'number':
        return Number(value.v);
      case 'bigint':
        return BigInt(value.v);
      case 'date':
        return new Date(value.v);
      case 'error':
        return Object.assign(new Error(value.v), { name: value.name });
      case 'map':
        return new Map(value.v.map(unpack));
      case 'set':
        return new Set(value.v.map(unpack));
      case 'buffer':
        return fromBase64(value.v).buffer;
      case 'bytes':
        return fromBase64(value.v);
      default:
        return Object.fromEntries(Object.entries(value.v).map(([key, item]) => [key, unpack(item)]));
    }
  };

  return {
    /** @param {any} value @returns {string} */
    encode: (value) => JSON.stringify(pack(value)),
    /** @param {string} text @returns {any} */
    decode: (text) => unpack(JSON.parse(text)),
  };
})();
