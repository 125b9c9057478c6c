import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type Electron from 'electron';
import type { CdpEvent } from '../cdp.ts';
import { codec } from './codec.ts';
import { browser, host } from './host.ts';
import { ipcMain } from './ipc-main.ts';
import { FakeMessagePortMain, takePort } from './ports.ts';
import { serve, toApp, toPage } from './protocol.ts';

const world = 'Electron Isolated Context';
const script = (name: string): string => readFileSync(new URL(`../page/${name}`, import.meta.url), 'utf8');

interface Context {
  readonly id: number;
  readonly frame: { url: string };
}

type FromPage =
  | { t: 'send'; channel: string; args: unknown[]; ports: number[] }
  | { t: 'invoke'; id: number; channel: string; args: unknown[] }
  | { t: 'port'; id: number; data: unknown }
  | { t: 'portClosed'; id: number }
  | { t: 'loaded' };

/** One page of the browser. Its preload runs in a real isolated world; ipc and ports cross over a DevTools binding. */
export class FakeWebContents
  extends EventEmitter
  implements
    Pick<
      Electron.WebContents,
      'id' | 'isDestroyed' | 'getURL' | 'setWindowOpenHandler' | 'reload' | 'send' | 'isLoading' | 'getTitle'
    >
{
  static #last = 0;
  readonly id = ++FakeWebContents.#last;
  readonly session: Electron.Session;
  targetId: string | undefined;
  readonly #opened: Promise<void>;
  #sessionId = '';
  #mainFrame = '';
  #url = '';
  #title = '';
  #destroyed = false;
  #loading = false;
  /** Navigations that the app asked for: not the page's own, so no 'will-navigate'. */
  #ours = 0;
  #context: Context | undefined;
  readonly #frames = new Map<string, { url: string }>();
  readonly #ports = new Map<number, MessagePort>();
  #nextPort = 1;
  #openHandler: ((details: Electron.HandlerDetails) => Electron.WindowOpenHandlerResponse) | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(session: Electron.Session, preload: string | undefined, size: { width: number; height: number }) {
    super();
    this.session = session;
    this.#opened = this.#open(preload, size);
    this.#opened.catch((error: unknown) => {
      if (!this.#destroyed) process.stderr.write(`test host: no page: ${String(error)}\n`);
    });
  }

  async #open(preload: string | undefined, size: { width: number; height: number }): Promise<void> {
    const { targetId } = await browser().send<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
      ...size,
      newWindow: true,
    });
    const { sessionId } = await browser().send<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    this.#sessionId = sessionId;
    this.#unsubscribe = browser().subscribe((event) => this.#event(event));
    const source = preload === undefined ? '' : readFileSync(preload, 'utf8');
    const bridge = script('bridge.js');
    const seen = { type: 'renderer', platform: process.platform, arch: process.arch, sandboxed: true, env: {} };
    const isolated = `{
${script('codec.js')}
${bridge}
${script('isolated-world.js')}
if (window === window.top) hostPreload((require, process, module, exports) => {
${source}
}, ${JSON.stringify({ ...seen, contextIsolated: true, versions: process.versions })});
}`;
    const tree = await this.#cdp<{ frameTree: { frame: { id: string; url: string } } }>('Page.getFrameTree');
    this.#mainFrame = tree.frameTree.frame.id;
    await Promise.all([
      this.#cdp('Page.enable'),
      this.#cdp('Runtime.addBinding', { name: '__hostSend', executionContextName: world }),
      this.#cdp('Runtime.enable'),
      this.#cdp('Page.addScriptToEvaluateOnNewDocument', { source: `{${bridge}\n${script('main-world.js')}}` }),
      ...(preload === undefined
        ? []
        : [this.#cdp('Page.addScriptToEvaluateOnNewDocument', { source: isolated, worldName: world })]),
      this.#cdp('Fetch.enable', { patterns: [{ urlPattern: '*' }] }),
      browser().send('Target.setDiscoverTargets', { discover: true }),
    ]);
    this.targetId = targetId;
  }

  #cdp<T>(method: string, params: object = {}): Promise<T> {
    return browser().send<T>(method, params, this.#sessionId);
  }

  async loadURL(url: string): Promise<void> {
    await this.#opened;
    this.#loading = true;
    const done = new Promise<void>((resolve, reject) => {
      this.once('did-finish-load', resolve);
      this.once('destroyed', () => reject(new Error(`ERR_FAILED (-2) loading '${url}'`)));
    });
    this.#ours++;
    const result = await this.#cdp<{ errorText?: string }>('Page.navigate', { url: toPage(url) });
    if (result.errorText) throw new Error(`${result.errorText} loading '${url}'`);
    await done;
  }

  reload(): void {
    this.#ours++;
    void this.#opened.then(() => this.#cdp('Page.reload'));
  }

  getURL = (): string => this.#url;
  getTitle = (): string => this.#title;
  isDestroyed = (): boolean => this.#destroyed;
  isLoading = (): boolean => this.#loading;

  setWindowOpenHandler(handler: (details: Electron.HandlerDetails) => Electron.WindowOpenHandlerResponse): void {
    this.#openHandler = handler;
  }

  send(channel: string, ...args: unknown[]): void {
    this.#toPage({ t: 'message', channel, args, ports: [] });
  }

  postMessage(channel: string, message: unknown, transfer: readonly Electron.MessagePortMain[] = []): void {
    const ports = transfer.map((port) =>
      this.#bridge(takePort(port as unknown as FakeMessagePortMain), this.#nextPort++),
    );
    this.#toPage({ t: 'message', channel, args: [message], ports });
  }

  /** For the test's control: what getPathForFile answers for Files of the next drop. */
  async tellDropped(files: readonly object[]): Promise<void> {
    await this.#toPage({ t: 'dropped', files });
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#closePorts();
    void this.#opened
      .then(() => browser().send('Target.closeTarget', { targetId: this.targetId }))
      .catch(() => undefined);
    this.#unsubscribe?.();
    this.emit('destroyed');
  }

  #toPage(message: object): Promise<unknown> {
    const context = this.#context;
    // As in Electron, what is sent while no document is there is lost.
    if (!context || this.#destroyed) return Promise.resolve();
    return this.#cdp('Runtime.evaluate', {
      expression: `__hostReceive(${JSON.stringify(codec.encode(message))})`,
      contextId: context.id,
    }).catch(() => undefined);
  }

  /** Stands between a Node port and the page's port of that id. */
  #bridge(port: MessagePort, id: number): number {
    this.#ports.set(id, port);
    port.on('message', (data: unknown) => void this.#toPage({ t: 'port', id, data }));
    port.on('close', () => {
      if (this.#ports.delete(id)) void this.#toPage({ t: 'portClosed', id });
    });
    return id;
  }

  #closePorts(): void {
    const ports = [...this.#ports.values()];
    this.#ports.clear();
    for (const port of ports) port.close();
  }

  #event({ method, params, sessionId }: CdpEvent): void {
    if (method === 'Target.targetCreated') return this.#popup(params);
    if (sessionId !== this.#sessionId) return;
    switch (method) {
      case 'Runtime.executionContextCreated': {
        const context = params['context'] as { id: number; name: string; auxData: { frameId: string } };
        if (context.name === world && context.auxData.frameId === this.#mainFrame)
          this.#context = { id: context.id, frame: this.#frame(this.#mainFrame) };
        return;
      }
      case 'Runtime.executionContextDestroyed':
        if (params['executionContextId'] === this.#context?.id) this.#gone();
        return;
      case 'Runtime.executionContextsCleared':
        return this.#gone();
      case 'Runtime.bindingCalled':
        return this.#fromPage(codec.decode(String(params['payload'])) as FromPage);
      case 'Page.frameNavigated': {
        const frame = params['frame'] as { id: string; parentId?: string; url: string };
        // A new object each time: an event keeps the frame that it came from.
        this.#frames.set(frame.id, { url: toApp(frame.url) });
        if (frame.parentId !== undefined) return;
        this.#mainFrame = frame.id;
        this.#url = toApp(frame.url);
        if (this.#context) this.#context = { id: this.#context.id, frame: this.#frame(frame.id) };
        this.emit('did-navigate', {}, this.#url);
        return;
      }
      case 'Page.frameStartedNavigating':
        this.emit('did-start-navigation', {
          url: toApp(String(params['url'])),
          isMainFrame: params['frameId'] === this.#mainFrame,
          isSameDocument: /sameDocument/i.test(String(params['navigationType'])),
        });
        return;
      case 'Page.navigatedWithinDocument':
        if (params['frameId'] === this.#mainFrame) {
          this.#url = toApp(String(params['url']));
          this.#frame(this.#mainFrame).url = this.#url;
        }
        return;
      case 'Page.domContentEventFired':
        this.emit('dom-ready', {});
        return;
      case 'Page.loadEventFired':
        if (this.#url === '' || this.#url === 'about:blank') return;
        this.#loading = false;
        this.emit('did-finish-load', {});
        return;
      case 'Page.windowOpen': {
        const url = String(params['url']);
        const answer = this.#openHandler?.({
          url,
          frameName: String(params['windowName'] ?? ''),
          features: '',
          disposition: 'foreground-tab',
          referrer: { url: this.#url, policy: 'default' },
        } as Electron.HandlerDetails);
        if (answer?.action !== 'deny') throw new Error(`test host: the app lets the page open ${url}: not implemented`);
        return;
      }
      case 'Inspector.targetCrashed':
        this.#gone();
        this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 5 });
        return;
      case 'Fetch.requestPaused':
        void this.#request(params).catch((error: unknown) => {
          if (!this.#destroyed && !host.quitting) process.stderr.write(`test host: ${String(error)}\n`);
        });
    }
  }

  /** A window that the page opened although the app said no: DevTools tells only afterwards. */
  #popup(params: Record<string, unknown>): void {
    const info = params['targetInfo'] as { targetId: string; openerId?: string };
    if (info.openerId === this.targetId && this.targetId !== undefined)
      void browser().send('Target.closeTarget', { targetId: info.targetId });
  }

  #frame(id: string): { url: string } {
    const frame = this.#frames.get(id) ?? { url: '' };
    this.#frames.set(id, frame);
    return frame;
  }

  #gone(): void {
    this.#context = undefined;
    this.#closePorts();
  }

  #fromPage(message: FromPage): void {
    const frame = this.#context?.frame ?? null;
    const event = { sender: this, senderFrame: frame, frameId: 1, processId: 1, ports: [] as FakeMessagePortMain[] };
    switch (message.t) {
      case 'send':
        event.ports = message.ports.map((id) => {
          const { port1, port2 } = new MessageChannel();
          this.#bridge(port1, id);
          return new FakeMessagePortMain(port2);
        });
        ipcMain.emit(message.channel, event, ...message.args);
        return;
      case 'invoke':
        void ipcMain.answer(message.channel, event, message.args).then(
          (value) => {
            try {
              void this.#toPage({ t: 'reply', id: message.id, value });
            } catch {
              void this.#toPage({ t: 'reply', id: message.id, error: 'An object could not be cloned.' });
            }
          },
          (error: Error) => void this.#toPage({ t: 'reply', id: message.id, error: error.message }),
        );
        return;
      case 'port':
        this.#ports.get(message.id)?.postMessage(message.data);
        return;
      case 'portClosed': {
        const port = this.#ports.get(message.id);
        this.#ports.delete(message.id);
        port?.close();
      }
    }
  }

  async #request(params: Record<string, unknown>): Promise<void> {
    const requestId = params['requestId'] as string;
    const { url, method, headers } = params['request'] as {
      url: string;
      method: string;
      headers: Record<string, string>;
    };
    if (params['resourceType'] === 'Document' && params['frameId'] === this.#mainFrame) {
      if (this.#ours > 0) this.#ours--;
      else {
        let prevented = false;
        const event = { preventDefault: () => void (prevented = true), url: toApp(url), defaultPrevented: false };
        this.emit('will-navigate', event, toApp(url));
        if (prevented) return void (await this.#cdp('Fetch.failRequest', { requestId, errorReason: 'Aborted' }));
      }
    }
    const response = await serve(url, method, headers);
    if (!response) return void (await this.#cdp('Fetch.continueRequest', { requestId }));
    const body = Buffer.from(await response.arrayBuffer());
    await this.#cdp('Fetch.fulfillRequest', {
      requestId,
      responseCode: response.status,
      responseHeaders: [...response.headers].map(([name, value]) => ({ name, value })),
      body: body.toString('base64'),
    });
  }
}
