import { EventEmitter } from 'node:events';
import type Electron from 'electron';
import { requireReady } from './host.ts';
import type { FakeMenu } from './menu.ts';
import { FakeNativeImage } from './native-image.ts';

export const trays: FakeTray[] = [];

/** Remembers image, tooltip and menu. */
export class FakeTray
  extends EventEmitter
  implements Pick<Electron.Tray, 'setToolTip' | 'setTitle' | 'destroy' | 'isDestroyed'>
{
  image: string;
  toolTip = '';
  title = '';
  menu: FakeMenu | null = null;
  /** How often a menu was set: a menu that is set again while open closes on Linux. */
  menusSet = 0;
  #destroyed = false;

  constructor(image: FakeNativeImage | string) {
    super();
    requireReady('Tray');
    this.image = sourceOf(image);
    trays.push(this);
  }

  setImage(image: FakeNativeImage | string): void {
    this.image = sourceOf(image);
  }
  setToolTip(text: string): void {
    this.toolTip = text;
  }
  setTitle(text: string): void {
    this.title = text;
  }
  setContextMenu(menu: FakeMenu | null): void {
    this.menu = menu;
    this.menusSet++;
  }
  popUpContextMenu(): void {}
  isDestroyed = (): boolean => this.#destroyed;
  destroy(): void {
    this.#destroyed = true;
    trays.splice(trays.indexOf(this), 1);
  }
}

function sourceOf(image: FakeNativeImage | string): string {
  const opened = typeof image === 'string' ? FakeNativeImage.createFromPath(image) : image;
  if (opened.isEmpty()) throw new Error(`Failed to load image from path '${opened.path}'`);
  return opened.path;
}
