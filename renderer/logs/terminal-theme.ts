import type { ITheme } from '@xterm/xterm';
import { paint } from '../ui/paint.ts';

const names = {
  background: '--sunken',
  foreground: '--text',
  cursor: '--act',
  cursorAccent: '--on-act',
  selectionBackground: '--press',
  black: '--text-3',
  red: '--failed',
  green: '--running',
  yellow: '--paused',
  blue: '--restarting',
  magenta: '--data-3',
  cyan: '--data-2',
  white: '--text-2',
} as const;

/** The window's colours for a terminal. xterm reads no oklch() and no variables: the browser turns each into sRGB bytes on a canvas. */
export function terminalTheme(element: HTMLElement): ITheme {
  const context = element.ownerDocument.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (variable: string): string => {
    if (!context) return '#000000';
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = paint(element, variable);
    context.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 255] = context.getImageData(0, 0, 1, 1).data;
    const hex = (value: number): string => value.toString(16).padStart(2, '0');
    return `#${hex(r)}${hex(g)}${hex(b)}${a === 255 ? '' : hex(a)}`;
  };
  const theme: Record<string, string> = {};
  for (const [name, variable] of Object.entries(names)) {
    theme[name] = rgb(variable);
    if (!/^(back|fore|cursor|selection)/.test(name))
      theme[`bright${name[0]?.toUpperCase()}${name.slice(1)}`] = theme[name];
  }
  theme['brightWhite'] = rgb('--text');
  return theme;
}
