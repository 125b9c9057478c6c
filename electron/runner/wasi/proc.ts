import { errno } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';
import { ProcExit } from './world.ts';

export function procFamily({ memory }: Pick<Host, 'memory'>): Family {
  return {
    proc_exit: (code: number): never => {
      throw new ProcExit(code >>> 0);
    },
    // There are no signals: nobody could receive one.
    ...guarded(memory, { proc_raise: (_signal: number) => errno.nosys }),
  };
}
