import { join } from 'node:path';

export interface PanelFacts {
  readonly platform: NodeJS.Platform;
  /** nativeTheme.shouldUseDarkColorsForSystemIntegratedUI. */
  readonly dark: boolean;
  /** XDG_CURRENT_DESKTOP. */
  readonly desktop: string;
}

/**
 * The file of a tray picture (build/icons.mjs). macOS inks a template itself; Windows tells its task bar's theme; of Linux desktops GNOME's bar is
 * always dark, the others follow the theme.
 */
export function trayImage(folder: string, state: string, { platform, dark, desktop }: PanelFacts): string {
  if (platform === 'darwin') return join(folder, `${state}Template.png`);
  const panel = dark || (platform === 'linux' && /gnome|unity/i.test(desktop)) ? 'dark' : 'light';
  return join(folder, `${state}-on-${panel}.${platform === 'win32' ? 'ico' : 'png'}`);
}
