import type { Menu, MenuItemConstructorOptions, Tray } from 'electron';

export interface TrayParts {
  /** new Tray(path). */
  make(image: string): Tray;
  build(template: MenuItemConstructorOptions[]): Menu;
  onClick(): void;
}

/** The icon in the tray. Kept by its owner for as long as it shall be seen: Electron removes a collected one. */
export class TrayIcon {
  readonly #parts: TrayParts;
  #tray: Tray | undefined;
  #image = '';
  #key = '';

  constructor(parts: TrayParts) {
    this.#parts = parts;
  }

  /**
   * Shows a state. @param key stands for all that the menu is made of, ids included: a menu that has not changed is not set again, since on Linux
   * that would close it under the pointer
   */
  show(image: string, toolTip: string, key: string, template: () => MenuItemConstructorOptions[]): void {
    if (!this.#tray) {
      this.#tray = this.#parts.make(image);
      this.#tray.on('click', () => this.#parts.onClick());
    } else if (image !== this.#image) this.#tray.setImage(image);
    this.#image = image;
    if (key === this.#key) return;
    this.#key = key;
    this.#tray.setToolTip(toolTip);
    this.#tray.setContextMenu(this.#parts.build(template()));
  }

  destroy(): void {
    this.#tray?.destroy();
    this.#tray = undefined;
  }
}
