/**
 * Electron's contextBridge between two worlds of one page, over synchronous CustomEvents on the document. Put into both worlds; `side` says which.
 * Copies as Electron does: primitives, arrays and plain data are copied, functions are proxied, promises are linked, an Error keeps its message
 * only, prototypes and symbols are dropped; Files and other cloneables pass.
 * @param {'main' | 'isolated'} side
 */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- used by the scripts that are put after it
const hostBridge = (side) => {
  const other = side === 'main' ? 'isolated' : 'main';
  const event = (/** @type {string} */ to, /** @type {string} */ what) => `test-host-${to}-${what}`;
  /** @type {Map<number, Function>} */
  const functions = new Map();
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const promises = new Map();
  let next = 1;
  /** @type {any} */
  let answer;

  /** @param {string} what @param {any} detail */
  const tell = (what, detail) => window.dispatchEvent(new CustomEvent(event(other, what), { detail }));

  /** @param {any} value @returns {any} */
  const describe = (value) => {
    if (typeof value === 'symbol') return { raw: undefined };
    if (typeof value === 'function') {
      const id = next++;
      functions.set(id, value);
      return { function: id };
    }
    if (value === null || typeof value !== 'object') return { raw: value };
    if (value instanceof Promise) {
      const id = next++;
      value.then(
        (result) => tell('settle', { id, value: describe(result) }),
        (error) => tell('settle', { id, error: String(error?.message ?? error) }),
      );
      return { promise: id };
    }
    if (value instanceof Error) return { error: value.message };
    if (value instanceof MessagePort)
      throw new TypeError('An object could not be cloned: a MessagePort does not cross contextBridge');
    if (Array.isArray(value)) return { array: value.map(describe) };
    if (value instanceof Blob || value instanceof Element || value instanceof ArrayBuffer || ArrayBuffer.isView(value))
      return { raw: value };
    if (value instanceof Date || value instanceof Map || value instanceof Set) return { raw: value };
    return { object: Object.entries(value).map(([key, item]) => [key, describe(item)]) };
  };

  /** @param {any} d @returns {any} */
  const restore = (d) => {
    if ('function' in d) return (/** @type {any[]} */ ...args) => call(d.function, args);
    if ('promise' in d) return new Promise((resolve, reject) => promises.set(d.promise, { resolve, reject }));
    if ('error' in d) return new Error(d.error);
    if ('array' in d) return d.array.map(restore);
    if ('object' in d)
      return Object.fromEntries(d.object.map((/** @type {[string, any]} */ [k, v]) => [k, restore(v)]));
    return d.raw;
  };

  /** @param {number} id @param {any[]} args */
  const call = (id, args) => {
    answer = undefined;
    tell('call', { id, args: args.map(describe) });
    const got = answer;
    answer = undefined;
    if (!got) throw new Error('the other world does not answer');
    if ('failed' in got) throw new Error(got.failed);
    return restore(got.value);
  };

  window.addEventListener(event(side, 'call'), (e) => {
    const { id, args } = /** @type {CustomEvent} */ (e).detail;
    try {
      const value = describe(functions.get(id)?.(...args.map(restore)));
      tell('answer', { value });
    } catch (error) {
      tell('answer', { failed: String(/** @type {Error} */ (error)?.message ?? error) });
    }
  });
  window.addEventListener(event(side, 'answer'), (e) => void (answer = /** @type {CustomEvent} */ (e).detail));
  window.addEventListener(event(side, 'settle'), (e) => {
    const { id, value, error } = /** @type {CustomEvent} */ (e).detail;
    const promise = promises.get(id);
    promises.delete(id);
    if (error === undefined) promise?.resolve(restore(value));
    else promise?.reject(new Error(error));
  });

  return { describe, restore, tell, event };
};
