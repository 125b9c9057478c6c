/** The small system modules: they remember what the app asked for. */
import { EventEmitter } from 'node:events';
import type Electron from 'electron';
import { requireReady } from './host.ts';

export const openedExternally: string[] = [];
export const clipboardText = { value: '' };

export const shell = {
  openExternal(url: string): Promise<void> {
    openedExternally.push(url);
    return Promise.resolve();
  },
};

export const clipboard = {
  writeText(text: string): Promise<void> {
    clipboardText.value = text;
    return Promise.resolve();
  },
  readText: (): Promise<string> => Promise.resolve(clipboardText.value),
};

class FakeNativeTheme
  extends EventEmitter
  implements
    Pick<Electron.NativeTheme, 'themeSource' | 'shouldUseDarkColors' | 'shouldUseDarkColorsForSystemIntegratedUI'>
{
  #source: 'system' | 'light' | 'dark' = 'system';
  get themeSource(): 'system' | 'light' | 'dark' {
    return this.#source;
  }
  set themeSource(source: 'system' | 'light' | 'dark') {
    if (source === this.#source) return;
    this.#source = source;
    this.emit('updated');
  }
  get shouldUseDarkColors(): boolean {
    return this.#source !== 'light';
  }
  readonly shouldUseDarkColorsForSystemIntegratedUI = true;
}
export const nativeTheme = new FakeNativeTheme();

const area = { x: 0, y: 0, width: 1600, height: 1000 };
export const screen = {
  getAllDisplays(): Electron.Display[] {
    requireReady('screen');
    return [{ id: 1, bounds: area, workArea: area, scaleFactor: 1 } as Electron.Display];
  },
};
