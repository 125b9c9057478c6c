/** What the shell itself can do: global keys, what the desktop asks for, and the palette's list. */
import { m } from '../i18n/generated/messages.js';
import * as words from '../i18n/words.ts';
import {
  containers,
  containerSelection,
  desktop,
  engine,
  images,
  overlays,
  route,
  settings,
} from '../state/app.svelte.ts';
import type { Command } from '../state/commands.ts';
import { containerActions, openContainer, perform } from '../state/container-actions.ts';
import { copy } from '../state/copy.ts';
import { openImage, runImage } from '../state/image-actions.ts';
import { faceOf } from '../state/face.ts';
import { chooseFile, takePaths } from '../state/intake.svelte.ts';
import type { Keymap } from '../state/keyboard.svelte.ts';

/** A picker that lives outside the page's components, for the key and the palette. */
export function pickFile(): void {
  const input = document.querySelector<HTMLInputElement>('[data-testid="drop-zone"]');
  void chooseFile(input);
}

export function showRun(): void {
  if (images.all.length > 0) overlays.show({ kind: 'chooseImage' });
  else pickFile();
}

/** A browser keeps Ctrl+N for itself. */
export const runChord = desktop ? 'mod+n' : 'alt+n';

export const globalKeys: Keymap = {
  'mod+k': () => overlays.show({ kind: 'palette' }),
  'mod+n': showRun,
  'alt+n': showRun,
  'mod+o': pickFile,
  'mod+1': () => route.go({ page: 'containers' }),
  'mod+2': () => route.go({ page: 'images' }),
  'mod+,': () => route.go({ page: 'settings' }),
  '?': () => overlays.show({ kind: 'keys' }),
};

/** Follows tray, menus and files that the system opens with Drydock. Answers the end of it. */
export function listenToDesktop(): () => void {
  if (!desktop) return () => undefined;
  const files = desktop.onOpenFiles((paths) => void takePaths(paths));
  const commands = desktop.onCommand((command) => {
    if (command.command === 'run') showRun();
    else if (command.command === 'show') route.go({ page: command.page });
    else route.go({ page: 'containers', id: command.id, tab: 'overview' });
  });
  return () => {
    files();
    commands();
  };
}

/** Everything the palette offers now. */
export function paletteCommands(): Command[] {
  const out: Command[] = [];
  const id = route.place.page === 'containers' ? (route.place.id ?? containerSelection.cursor) : '';
  const row = id === '' ? undefined : containers.get(id);
  if (row)
    for (const action of containerActions)
      if (action.can(row))
        out.push({
          id: `row ${action.id}`,
          group: 'row',
          kind: 'command',
          title: action.label(),
          detail: row.name,
          icon: action.icon,
          chord: action.chord,
          run: () => perform(action, [row]),
        });
  for (const item of containers.all)
    out.push({
      id: item.id,
      group: 'things',
      kind: 'container',
      title: item.name,
      detail: `${words.face(faceOf(item))}, ${item.image}`,
      icon: `state:${faceOf(item)}`,
      run: () => openContainer(item),
    });
  for (const item of images.items) {
    if (item.reference === '') continue;
    const detail = words.bytes(item.row.size);
    out.push(
      {
        id: item.key,
        group: 'things',
        kind: 'image',
        title: item.reference,
        detail,
        icon: 'images',
        run: () => openImage(item),
      },
      {
        id: `run ${item.key}`,
        group: 'things',
        kind: 'command',
        title: m.palette_run({ name: item.reference }),
        detail: '',
        icon: 'play',
        run: () => void runImage(item),
      },
    );
  }
  const everywhere = (title: string, icon: string, run: () => void, more: Partial<Command> = {}): void =>
    void out.push({ id: title, group: 'everywhere', kind: 'command', title, icon, run, ...more });
  everywhere(m.run_open_file(), 'file', pickFile, { chord: 'mod+o' });
  everywhere(m.palette_run_image(), 'plus', showRun, { chord: runChord });
  everywhere(m.containers(), 'containers', () => route.go({ page: 'containers' }), { kind: 'page', chord: 'mod+1' });
  everywhere(m.images(), 'images', () => route.go({ page: 'images' }), { kind: 'page', chord: 'mod+2' });
  everywhere(m.settings(), 'settings', () => route.go({ page: 'settings' }), { kind: 'page', chord: 'mod+,' });
  everywhere(m.palette_theme_light(), 'settings', () => void settings.choose({ theme: 'light' }));
  everywhere(m.palette_theme_dark(), 'settings', () => void settings.choose({ theme: 'dark' }));
  everywhere(m.palette_theme_system(), 'settings', () => void settings.choose({ theme: 'system' }));
  everywhere('English', 'globe', () => void settings.choose({ language: 'en' }));
  everywhere('简体中文', 'globe', () => void settings.choose({ language: 'zh-CN' }));
  const host = engine.summary?.dockerHost;
  if (host)
    everywhere(m.palette_copy_host(), 'terminal', () => void copy(`export DOCKER_HOST=${host}`), { detail: host });
  everywhere(m.key_map(), 'keyboard', () => overlays.show({ kind: 'keys' }), { chord: '?' });
  return out;
}
