import { existsSync, readFileSync } from 'node:fs';

/** An image by its path; "empty" when there is no PNG or ICO at that path. */
export class FakeNativeImage {
  readonly path: string;
  template = false;

  constructor(path: string) {
    this.path = path;
    this.template = /Template(@\dx)?\.png$/.test(path);
  }

  static createFromPath = (path: string): FakeNativeImage => new FakeNativeImage(path);

  isEmpty(): boolean {
    if (!existsSync(this.path)) return true;
    const head = readFileSync(this.path).subarray(0, 4).toString('hex');
    return head !== '89504e47' && head !== '00000100';
  }

  setTemplateImage(on: boolean): void {
    this.template = on;
  }
}
