import { resolve } from 'node:path';
import { acquireLock } from '../platform/lock.ts';
import { openImages } from './images/images.ts';
import { checkLayoutVersion, homeLayout } from './layout.ts';

/**
 * `--check`: what is stored of images in a data root that no engine has, read and compared with what it is called. Nothing is started. Answers true when nothing is
 * damaged, or what was is put right. @throws conflict when an engine has the data root, damaged, denied
 */
export async function checkHome(home: string, say: (line: string) => void): Promise<boolean> {
  const layout = homeLayout(resolve(home));
  const lock = acquireLock(layout.lock);
  try {
    checkLayoutVersion(layout);
    const images = await openImages({ home: layout.home, emit: () => undefined, usedBy: () => [], note: say });
    try {
      let open = 0;
      for await (const event of images.check()) {
        if (event.type === 'finding') {
          const { problem, hint, repaired } = event.finding;
          say(`${repaired ? 'repaired' : 'DAMAGED'}: ${problem}`);
          if (hint !== '') say(`  ${hint}`);
        } else if (event.type === 'done') {
          open = event.open;
          const read = `${event.blobs} blobs (${(event.total / 1e6).toFixed(1)} MB), ${event.images} images, ${event.snapshots} root directories`;
          say(`${read}: ${open === 0 ? 'nothing is damaged' : `${open} problems are left`}`);
        }
      }
      return open === 0;
    } finally {
      await images.close();
    }
  } finally {
    lock.release();
  }
}
