import type Electron from 'electron';
import { requireReady } from './host.ts';

export interface ShownDialog {
  readonly kind: 'open' | 'message' | 'error';
  readonly options: Record<string, unknown>;
  answered: boolean;
}

export const shown: ShownDialog[] = [];
const waiting: { dialog: ShownDialog; answer: (value: unknown) => void }[] = [];
const answers: { kind: string; value: unknown }[] = [];

/** A dialog waits for its person: the test's answer, given before or after. */
function show(kind: 'open' | 'message', options: unknown): Promise<never> {
  requireReady('dialog');
  const dialog: ShownDialog = { kind, options: { ...(options as object) }, answered: false };
  shown.push(dialog);
  return new Promise((resolve) => {
    waiting.push({
      dialog,
      answer: (value) => {
        dialog.answered = true;
        resolve(value as never);
      },
    });
    settle();
  });
}

function settle(): void {
  for (const answer of [...answers]) {
    const index = waiting.findIndex((w) => w.dialog.kind === answer.kind);
    if (index < 0) continue;
    answers.splice(answers.indexOf(answer), 1);
    waiting.splice(index, 1)[0]?.answer(answer.value);
  }
}

export function answerDialog(kind: 'open' | 'message', value: unknown): void {
  answers.push({ kind, value });
  settle();
}

const last = (args: readonly unknown[]): unknown => args[args.length - 1];

export const dialog = {
  showOpenDialog: (...args: unknown[]): Promise<Electron.OpenDialogReturnValue> => show('open', last(args)),
  showMessageBox: (...args: unknown[]): Promise<Electron.MessageBoxReturnValue> => show('message', last(args)),
  /** Blocks in Electron; allowed before ready. */
  showErrorBox(title: string, content: string): void {
    shown.push({ kind: 'error', options: { title, content }, answered: true });
    process.stderr.write(`[dialog] ${title}: ${content}\n`);
  },
};
