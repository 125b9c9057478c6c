import type Electron from 'electron';
import { requireReady } from './host.ts';

export interface MenuEntry {
  readonly label: string;
  readonly type: string;
  readonly role?: string;
  readonly enabled: boolean;
  readonly checked: boolean;
  readonly accelerator?: string;
  readonly submenu?: readonly MenuEntry[];
}

/** Remembers its template; a test clicks items by their labels. */
export class FakeMenu {
  readonly items: readonly Electron.MenuItemConstructorOptions[];

  constructor(items: readonly Electron.MenuItemConstructorOptions[] = []) {
    this.items = items;
  }

  static application: FakeMenu | null = null;

  static buildFromTemplate(template: readonly Electron.MenuItemConstructorOptions[]): FakeMenu {
    requireReady('Menu.buildFromTemplate');
    for (const item of template) {
      if (item.type !== 'separator' && item.label === undefined && item.role === undefined)
        throw new TypeError('Invalid template for MenuItem: must have label, role or type separator');
      if (Array.isArray(item.submenu)) FakeMenu.buildFromTemplate(item.submenu);
    }
    return new FakeMenu(template);
  }

  static setApplicationMenu(menu: FakeMenu | null): void {
    FakeMenu.application = menu;
  }

  popup(): void {}

  describe(): MenuEntry[] {
    return this.items.map(describe);
  }

  /** @throws when there is no such item, or it is disabled: nobody could click it. */
  click(labels: readonly string[]): void {
    let items = this.items;
    for (const [depth, label] of labels.entries()) {
      const item = items.find((candidate) => candidate.label === label || candidate.role === label);
      if (!item)
        throw new Error(`no menu item ${label} among: ${items.map((i) => i.label ?? i.role ?? '—').join(', ')}`);
      if (item.enabled === false || item.visible === false) throw new Error(`the menu item ${label} is disabled`);
      if (depth === labels.length - 1) {
        if (!item.click) throw new Error(`the menu item ${label} does nothing`);
        item.click(item as unknown as Electron.MenuItem, undefined, {} as Electron.KeyboardEvent);
        return;
      }
      items = submenuOf(item);
    }
  }
}

const submenuOf = (item: Electron.MenuItemConstructorOptions): readonly Electron.MenuItemConstructorOptions[] =>
  Array.isArray(item.submenu) ? item.submenu : ((item.submenu as unknown as FakeMenu | undefined)?.items ?? []);

const describe = (item: Electron.MenuItemConstructorOptions): MenuEntry => ({
  label: item.label ?? '',
  type: item.type ?? (item.submenu ? 'submenu' : 'normal'),
  ...(item.role ? { role: item.role } : {}),
  enabled: item.enabled ?? true,
  checked: item.checked ?? false,
  ...(item.accelerator ? { accelerator: item.accelerator } : {}),
  ...(item.submenu ? { submenu: submenuOf(item).map(describe) } : {}),
});
