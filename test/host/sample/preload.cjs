/* eslint-disable @typescript-eslint/no-require-imports */
const { contextBridge, ipcRenderer, webUtils } = require('electron');

ipcRenderer.on('port', (event, message) => window.postMessage({ sample: message }, '*', event.ports));
contextBridge.exposeInMainWorld('sample', {
  facts: () => ipcRenderer.invoke('facts'),
  fails: () => ipcRenderer.invoke('fails'),
  child: () => ipcRenderer.invoke('child'),
  port: (/** @type {string} */ key) => ipcRenderer.postMessage('port', key),
  pathOf: (/** @type {File} */ file) => webUtils.getPathForFile(file),
  twice: (/** @type {(n: number) => number} */ f) => f(f(1)),
  node: () => typeof Buffer,
  nested: { list: [1, { two: 2 }], when: new Date(5), failed: new Error('kept') },
});
