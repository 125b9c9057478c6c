import type { Shell } from 'electron';
import { isExternalLink } from './security.ts';

/** Opens a published port of this computer in the browser: the address is ours, not the page's, and leads to the container only. */
export const openPort = (shell: Pick<Shell, 'openExternal'>, port: number, log: (line: string) => void): void =>
  void shell
    .openExternal(`http://localhost:${port}/`)
    .catch((error: unknown) => log(`cannot open port ${port}: ${String(error)}`));

/** Opens https: and mailto: links, and ports of this computer, in the system's programs; anything else is refused and logged. */
export function externalLinks(shell: Pick<Shell, 'openExternal'>, log: (line: string) => void): (url: string) => void {
  return (url) => {
    if (!isExternalLink(url))
      return log(
        `refused to open ${url.slice(0, 200)}: only https: and mailto: links, and http: ports of this computer, are opened`,
      );
    shell.openExternal(url).catch((error: unknown) => log(`cannot open ${url}: ${String(error)}`));
  };
}
