/** Every script starts here: the project is built and tested on the Node that Electron 45 carries. */
import { readFileSync } from 'node:fs';

/** Throws with a sentence that says what to do when this is not the pinned Node. */
export function assertNode() {
  const wanted = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).devDependencies.node;
  if (process.versions.node !== wanted) {
    throw new Error(
      `Drydock needs Node ${wanted}, this is ${process.versions.node}. ` +
        `Run it through npm (npm start, npm test), which uses node_modules/.bin/node; if that is missing, run "npm ci" without --ignore-scripts.`,
    );
  }
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split('/').pop() ?? '')) {
  try {
    assertNode();
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exit(1);
  }
}
