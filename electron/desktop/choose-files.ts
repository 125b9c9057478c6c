import type { BrowserWindow, Dialog, OpenDialogOptions } from 'electron';
import type { Words } from './words.ts';

/** The system's dialog for .wasm files; [] when cancelled. */
export async function chooseFiles(
  dialog: Pick<Dialog, 'showOpenDialog'>,
  window: BrowserWindow | undefined,
  words: Words,
): Promise<readonly string[]> {
  const options: OpenDialogOptions = {
    properties: ['openFile', 'multiSelections'],
    filters: [{ name: words.wasmFiles, extensions: ['wasm'] }],
    buttonLabel: words.chooseFiles,
  };
  const { canceled, filePaths } = await (window
    ? dialog.showOpenDialog(window, options)
    : dialog.showOpenDialog(options));
  return canceled ? [] : filePaths;
}
