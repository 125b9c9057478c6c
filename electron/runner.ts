/**
 * Entry of a runner process (child process or Electron utility process). The guest's thread is dist/main/guest.cjs beside it; with `--shared` there
 * is none, and many guests sleep in this one.
 */
import { startControl } from './runner/control.ts';
import { startShared } from './runner/shared/control.ts';

if (process.argv[2] === '--shared') startShared();
else startControl(process.argv[2]);
