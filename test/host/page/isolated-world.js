/**
 * In the isolated world, around the preload: a sandboxed preload's `require`, whose 'electron' has what Electron 45 gives it. Needs codec.js and
 * bridge.js before it. `__hostSend` is a DevTools binding of this world only; the app process calls `__hostReceive`.
 * @param {(require: Function, process: object, module: { exports: object }, exports: object) => void} preload
 * @param {object} hostProcess what the preload sees as `process`
 */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- used by the scripts that are put after it
const hostPreload = (preload, hostProcess) => {
  const send = (/** @type {any} */ message) => /** @type {any} */ (globalThis).__hostSend(hostCodec.encode(message));
  const bridge = hostBridge('isolated');

  /** @type {{ key: string, api: any }[]} */
  const exposed = [];
  window.addEventListener(bridge.event('isolated', 'hello'), () => exposed.forEach((e) => bridge.tell('expose', e)));

  /** @type {Map<string, Set<Function>>} */
  const listeners = new Map();
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const calls = new Map();
  /** The ends that the app process stands for. @type {Map<number, MessagePort>} */
  const ports = new Map();
  let next = 1;

  /** @param {number} id @param {MessagePort} port */
  const hold = (id, port) => {
    ports.set(id, port);
    port.addEventListener('message', (e) => {
      if (e.ports.length > 0) throw new Error('test host: a port inside a port message is not bridged');
      send({ t: 'port', id, data: e.data });
    });
    port.addEventListener('close', () => {
      if (ports.delete(id)) send({ t: 'portClosed', id });
    });
    port.start();
  };

  const ipcRenderer = strict('ipcRenderer', {
    send: (/** @type {string} */ channel, /** @type {any[]} */ ...args) =>
      send({ t: 'send', channel, args, ports: [] }),
    postMessage: (
      /** @type {string} */ channel,
      /** @type {any} */ message,
      /** @type {MessagePort[]} */ transfer = [],
    ) => {
      const ids = transfer.map((port) => {
        const id = -next++;
        hold(id, port);
        return id;
      });
      send({ t: 'send', channel, args: [message], ports: ids });
    },
    invoke: (/** @type {string} */ channel, /** @type {any[]} */ ...args) =>
      new Promise((resolve, reject) => {
        const id = next++;
        calls.set(id, { resolve, reject });
        send({ t: 'invoke', id, channel, args });
      }),
    on: (/** @type {string} */ channel, /** @type {Function} */ listener) => {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(listener));
      return ipcRenderer;
    },
    off: (/** @type {string} */ channel, /** @type {Function} */ listener) => {
      listeners.get(channel)?.delete(listener);
      return ipcRenderer;
    },
    removeListener: (/** @type {string} */ channel, /** @type {Function} */ listener) => {
      listeners.get(channel)?.delete(listener);
      return ipcRenderer;
    },
  });

  /** What the test dropped: DevTools gives the page real Files but no synchronous way to ask for their paths. @type {any[]} */
  let dropped = [];
  const webUtils = strict('webUtils', {
    getPathForFile: (/** @type {any} */ file) => {
      if (!(file instanceof File)) throw new TypeError('getPathForFile: not a File');
      const match = dropped.find(
        (d) => d.name === file.name && d.size === file.size && Math.abs(d.modified - file.lastModified) < 1000,
      );
      return match?.path ?? '';
    },
  });

  const contextBridge = strict('contextBridge', {
    exposeInMainWorld: (/** @type {string} */ key, /** @type {any} */ value) => {
      if (exposed.some((e) => e.key === key))
        throw new Error(`Cannot bind an API on top of an existing property: ${key}`);
      const entry = { key, api: bridge.describe(value) };
      exposed.push(entry);
      bridge.tell('expose', entry);
    },
  });

  /** @param {string} text */
  const receive = (text) => {
    const message = hostCodec.decode(text);
    if (message.t === 'message') {
      const received = message.ports.map((/** @type {number} */ id) => {
        const { port1, port2 } = new MessageChannel();
        hold(id, port1);
        return port2;
      });
      const event = { ports: received, sender: ipcRenderer };
      for (const listener of [...(listeners.get(message.channel) ?? [])]) listener(event, ...message.args);
    } else if (message.t === 'reply') {
      const call = calls.get(message.id);
      calls.delete(message.id);
      if (message.error === undefined) call?.resolve(message.value);
      else call?.reject(new Error(message.error));
    } else if (message.t === 'port') {
      ports.get(message.id)?.postMessage(message.data);
    } else if (message.t === 'portClosed') {
      const port = ports.get(message.id);
      ports.delete(message.id);
      port?.close();
    } else if (message.t === 'dropped') {
      dropped = message.files;
    }
  };
  Object.assign(globalThis, { __hostReceive: receive });

  const electron = strict('electron (in the preload)', { ipcRenderer, contextBridge, webUtils });
  const require = (/** @type {string} */ name) => {
    if (name === 'electron') return electron;
    throw new Error(`module not found: ${name} (a sandboxed preload may require electron, events, timers and url)`);
  };
  const module = { exports: {} };
  preload(require, hostProcess, module, module.exports);
  send({ t: 'loaded' });

  /**
   * What is not there throws by name.
   * @template {object} T @param {string} name @param {T} target @returns {T}
   */
  function strict(name, target) {
    return new Proxy(target, {
      get(object, key) {
        if (key in object || typeof key === 'symbol') return Reflect.get(object, key);
        throw new Error(`test host: ${name}.${key} is not implemented`);
      },
    });
  }
};
