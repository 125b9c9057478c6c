/** In the page's own world, before any script of the page: receives what the preload exposes. Needs bridge.js before it. */
(() => {
  if (window !== window.top) return;
  const bridge = hostBridge('main');
  /** @param {any} value @returns {any} */
  const freeze = (value) => {
    if (value !== null && typeof value === 'object') Object.values(value).forEach(freeze);
    return typeof value === 'object' ? Object.freeze(value) : value;
  };
  window.addEventListener(bridge.event('main', 'expose'), (e) => {
    const { key, api } = /** @type {CustomEvent} */ (e).detail;
    Object.defineProperty(window, key, { value: freeze(bridge.restore(api)), enumerable: true });
  });
  bridge.tell('hello', {});
})();
