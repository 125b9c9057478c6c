import { invalid } from '../../base/errors.ts';
import type { ImagesApi } from '../../engine/api/index.ts';
import { drain } from '../body.ts';
import type { Call } from '../call.ts';
import { startProgress } from '../progress.ts';
import { text } from '../query.ts';

/** `POST /images/create?fromSrc=-`: the body is a root file system. What is wrong with it is told by the status: nothing was sent before. */
export async function importBody(images: Pick<ImagesApi, 'importRoot'>, call: Call): Promise<void> {
  const { query, request } = call;
  const source = text(query, 'fromSrc');
  try {
    if (source !== '-')
      throw invalid(`cannot import from ${source ?? 'nowhere'}: Drydock downloads no archives`, {
        hint: 'Download it and send it: docker import FILE NAME.',
      });
    const repo = text(query, 'repo') ?? '';
    const tag = text(query, 'tag') ?? '';
    const { id } = await images.importRoot(request as AsyncIterable<Uint8Array>, {
      reference: repo === '' || tag === '' ? repo : `${repo}:${tag}`,
      message: text(query, 'message') ?? '',
      changes: query
        .getAll('changes')
        .flatMap((each) => each.split('\n'))
        .filter((line) => line.trim() !== ''),
      platform: text(query, 'platform') ?? '',
    });
    const progress = startProgress(call.response);
    await progress.send({ status: id });
    progress.end();
  } catch (error) {
    await drain(request);
    throw error;
  }
}
