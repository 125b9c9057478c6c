/** Entry of a runner process (child process or Electron utility process). The guest's thread is dist/main/guest.cjs beside it. */
import { startControl } from './runner/control.ts';

startControl(process.argv[2]);
