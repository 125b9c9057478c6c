import type { BrowserWindowConstructorOptions, TitleBarOverlay } from 'electron';

/** Of renderer/theme/tokens.css, as sRGB: page, chrome and text-2. What is seen before the page is, and behind the system's own buttons. */
const colors = {
  light: { page: '#fdfdfe', chrome: '#f2f4f6', text: '#4b5259' },
  dark: { page: '#13161a', chrome: '#0d1013', text: '#b6bbc0' },
};
/** Of the page's own title bar (design/README.md §3), less a hairline. */
const titleBarHeight = 39;

export const pageColor = (dark: boolean): string => colors[dark ? 'dark' : 'light'].page;

/** The window's buttons, which the system draws over the page's title bar. */
export function titleBarButtons(dark: boolean): TitleBarOverlay {
  const { chrome, text } = colors[dark ? 'dark' : 'light'];
  return { color: chrome, symbolColor: text, height: titleBarHeight };
}

/** The page draws the title bar itself. */
export function windowFrame(platform: NodeJS.Platform, dark: boolean): BrowserWindowConstructorOptions {
  if (platform === 'darwin') return { titleBarStyle: 'hidden', trafficLightPosition: { x: 14, y: 13 } };
  return { titleBarStyle: 'hidden', titleBarOverlay: titleBarButtons(dark), autoHideMenuBar: true };
}
