import type { Notification } from 'electron';
import type { ActivityRow } from './activity.ts';
import type { Words } from './words.ts';

export interface NotificationParts {
  /** Undefined where the system has none. */
  make: ((title: string, body: string) => Notification) | undefined;
  /** True while the person has the window before them: then the page tells. */
  watched(): boolean;
  words(): Words;
  /** A click: one container, or several (undefined). */
  onClick(id: string | undefined): void;
}

/** Tells of containers that failed while nobody was looking. A burst is one notification. */
export class FailureNotifications {
  readonly #parts: NotificationParts;
  /** Electron forgets the click of a notification that was collected. */
  readonly #shown = new Set<Notification>();

  constructor(parts: NotificationParts) {
    this.#parts = parts;
  }

  tell(rows: readonly ActivityRow[]): void {
    const { make, watched, words, onClick } = this.#parts;
    const [first] = rows;
    if (!make || !first || watched()) return;
    const single = rows.length === 1;
    const title = single ? words().failedTitle(first.name) : words().failedMany(rows.length);
    const body = single
      ? [words().exitCode(first.exitCode), first.error.split('\n')[0]].filter(Boolean).join(': ')
      : rows.map((row) => row.name).join(', ');
    const notification = make(title, body.slice(0, 200));
    const gone = (): void => void this.#shown.delete(notification);
    notification.on('click', () => {
      gone();
      onClick(single ? first.id : undefined);
    });
    notification.on('close', gone);
    // macOS without a signature.
    notification.on('failed', gone);
    this.#shown.add(notification);
    notification.show();
  }
}
