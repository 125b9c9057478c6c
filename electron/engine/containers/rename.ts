/** `docker rename`. */
import { conflict, DrydockError, invalid } from '../../base/errors.ts';
import type { Context } from './context.ts';
import { announce, update } from './transitions.ts';

/** @throws notFound, invalid, conflict with moby's texts, full */
export async function rename(context: Context, ref: string, newName: string): Promise<void> {
  const container = context.store.find(ref);
  const name = newName.replace(/^\//, '');
  const old = container.name;
  if (name === '') throw invalid('Neither old nor new names may be empty');
  if (name === old) throw invalid('Renaming a container with the same name as its current name');
  if (container.removing) throw conflict(`container ${container.id} is marked for removal and cannot be renamed`);
  try {
    context.store.claim(container, name);
  } catch (error) {
    if (!(error instanceof DrydockError)) throw error;
    throw new DrydockError(error.kind, `Error when allocating new name: ${error.message}`, { data: error.data });
  }
  try {
    update(container, { name });
  } catch (error) {
    context.store.release(container, name);
    throw error;
  }
  context.store.release(container, old);
  announce(context, container, 'rename', { oldName: `/${old}` });
}
