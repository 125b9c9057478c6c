import { EventEmitter } from 'node:events';
import type Electron from 'electron';
import { requireReady } from './host.ts';

export const notifications: FakeNotification[] = [];

export class FakeNotification
  extends EventEmitter
  implements Pick<Electron.Notification, 'show' | 'close' | 'title' | 'body'>
{
  title: string;
  body: string;

  constructor(options: Electron.NotificationConstructorOptions = {}) {
    super();
    requireReady('Notification');
    this.title = options.title ?? '';
    this.body = options.body ?? '';
  }

  static isSupported = (): boolean => true;

  show(): void {
    notifications.push(this);
    this.emit('show', {});
  }
  close(): void {
    this.emit('close', {});
  }
}
