import { invalid, notFound } from '../../base/errors.ts';
import type { ImageModule } from '../api/images.ts';
import { describeFile } from './describe.ts';
import { findProgram } from './find-program.ts';
import type { StoredImage } from './image.ts';
import { runtimeView } from './view.ts';

const remembered = 64;

/** Answers for the modules of images. A snapshot never changes, so an answer is kept with the chain and the path. */
export function moduleFinder(snapshot: (image: StoredImage) => Promise<string>) {
  const known = new Map<string, ImageModule>();

  /** @throws notFound when the entrypoint names nothing, invalid when there is none or it names no module */
  return async (image: StoredImage): Promise<ImageModule> => {
    const { entrypoint, command, env, workingDir } = runtimeView(image.config.config ?? {});
    const program = entrypoint?.[0] || command?.[0];
    if (!program)
      throw invalid(`image ${image.id.slice(7, 19)} names no program`, {
        hint: 'Add an ENTRYPOINT to its Dockerfile, or give a command at run.',
      });
    const key = JSON.stringify([image.chainIds.at(-1), program, env, workingDir]);
    const before = known.get(key);
    if (before) return before;
    const found = await findProgram(await snapshot(image), program, { env, workingDir });
    if (!found)
      throw notFound(`exec: "${program}": stat ${program}: no such file or directory`, {
        hint: 'The entrypoint names a file that is not in the image.',
      });
    const answer: ImageModule = {
      path: found.guestPath,
      ...(await describeFile(found.hostPath, found.guestPath)),
    };
    if (known.size >= remembered) known.delete(known.keys().next().value ?? '');
    known.set(key, answer);
    return answer;
  };
}
