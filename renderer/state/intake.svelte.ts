/** Files that come in: dropped, picked, or opened by the system. Each is staged, then shown on the sheet. */
import { m } from '../i18n/generated/messages.js';
import { connection, desktop, operations, overlays } from './app.svelte.ts';
import { takes } from './offer.ts';
import type { StagedModule } from '../../electron/contract/modules.ts';

/** The subject under which staging problems are kept; the page shows them where the file was dropped. */
export const intake = 'intake';

/** Takes what was dropped or picked: the first .wasm opens the sheet, what cannot be taken is refused by name. */
export async function takeFiles(files: readonly File[]): Promise<void> {
  const good = files.find((file) => takes(file.name));
  const bad = files.filter((file) => !takes(file.name));
  if (bad.length > 0 && !good) {
    operations.fail(intake, {
      kind: 'unsupported',
      message: m.refuse_title({ name: bad.map((file) => file.name).join(', ') }),
      hint: m.refuse_hint(),
    });
    return;
  }
  if (!good) return;
  await show(good.name, (progress) => connection.stage(good, progress));
}

/** Takes files by their paths: the desktop's own dialog, double clicks, the command line. */
export async function takePaths(paths: readonly string[]): Promise<void> {
  const path = paths.find(takes) ?? paths[0];
  if (path === undefined) return;
  const name = path.split(/[\\/]/).at(-1) ?? path;
  await show(name, () => connection.api.modules.stagePath({ path }));
}

async function show(name: string, stage: (progress: (share: number) => void) => Promise<StagedModule>): Promise<void> {
  const done = await operations.run(intake, 'stage', m.doing_stage({ name }), async (progress) => {
    await connection.tried;
    return stage(progress);
  });
  if (done) overlays.show({ kind: 'run', subject: { kind: 'staged', staged: done.value } });
}

/** The way to pick a file on this platform: the native dialog, or the page's hidden input. */
export async function chooseFile(input: HTMLInputElement | null | undefined): Promise<void> {
  if (desktop) await takePaths(await desktop.chooseFiles());
  else input?.click();
}
