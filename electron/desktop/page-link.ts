import type { WebContents } from 'electron';
import type { DesktopCommand } from '../contract/bridge.ts';

type Message =
  readonly [channel: 'drydock:open-files', paths: readonly string[]] | readonly ['drydock:command', DesktopCommand];

/** What is said to the page without being asked. Kept while no document is there to hear it: what is sent to a page that loads is lost. */
export class PageLink {
  #contents: WebContents | undefined;
  #waiting: Message[] = [];

  /** A new page. It hears once its preload has said hello. */
  attach(contents: WebContents): void {
    contents.on('did-start-navigation', (details) => {
      if (details.isMainFrame && !details.isSameDocument && this.#contents === contents) this.#contents = undefined;
    });
    contents.on('destroyed', () => {
      if (this.#contents === contents) this.#contents = undefined;
    });
  }

  /** The preload of a document is there (it keeps what comes until the page listens). */
  hello(contents: WebContents): void {
    this.#contents = contents;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) contents.send(message[0], message[1]);
  }

  openFiles(paths: readonly string[]): void {
    this.#say(['drydock:open-files', paths]);
  }

  command(command: DesktopCommand): void {
    this.#say(['drydock:command', command]);
  }

  #say(message: Message): void {
    if (this.#contents && !this.#contents.isDestroyed()) this.#contents.send(message[0], message[1]);
    else this.#waiting.push(message);
  }
}
