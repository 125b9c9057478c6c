/** `docker rm`, and what `--rm` does by itself. */
import { conflict } from '../../base/errors.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { endRun } from './end-run.ts';
import { forgetExecs } from './exec/end.ts';
import { giveUpRestart } from './exit.ts';
import { SIGKILL } from './signals.ts';
import { announce, toRemoving } from './transitions.ts';

/** @throws notFound, conflict when it runs and `force` is not given */
export async function remove(
  context: Context,
  ref: string,
  options: { readonly force?: boolean; readonly volumes?: boolean } = {},
): Promise<void> {
  const container = context.store.find(ref);
  if (container.removing) throw conflict(`removal of container ${container.id} is already in progress`);
  if (container.starting) await container.starting;
  if (container.isLive || container.state === 'restarting') {
    if (!options.force) {
      throw conflict(
        container.state === 'paused'
          ? `You cannot remove a paused container ${container.id}. Unpause and then stop the container before attempting removal or force remove`
          : `You cannot remove a running container ${container.id}. Stop the container before attempting removal or force remove`,
      );
    }
    if (!giveUpRestart(context, container, true)) await endRun(context, container, { signal: SIGKILL, by: 'remove' });
  }
  // It may have gone meanwhile: by --rm, or by somebody else's force.
  if (!container.removing) destroy(context, container, { volumes: options.volumes === true });
}

/** In one turn: out of the lists, off the disk, everybody told. The container must not run. */
export function destroy(context: Context, container: Container, options: { readonly volumes: boolean }): void {
  toRemoving(container);
  const reusable = container.log.detach();
  forgetExecs(container);
  try {
    context.directories.remove(container.id, reusable);
  } catch (error) {
    // Somebody removed it by hand, or holds it open (Windows): the next open will not find a running container there.
    context.log(
      `container ${container.name}: its directory is not removed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  context.store.delete(container);
  container.stdin.close();
  for (const mount of container.record.mounts) {
    if (mount.name === undefined) continue;
    context.volumes.release(mount.name, container.id);
    if (options.volumes && mount.anonymous === true)
      context.volumes.remove(mount.name, { force: true }).catch(() => {
        // Another container shares it (--volumes-from): it goes with that one.
      });
  }
  announce(context, container, 'destroy');
  container.waiters.removed({ exitCode: container.record.exitCode });
  sweepImages(context);
}

const sweeping = new WeakSet<Context>();

/** An image that was removed by force is kept for its containers: the last one may be gone now. Once for many removals, off the hot path. */
function sweepImages(context: Context): void {
  if (!context.images.sweep || sweeping.has(context)) return;
  sweeping.add(context);
  context.timers.after(1000, () => {
    sweeping.delete(context);
    if (!context.closing)
      context.images
        .sweep?.()
        .catch((error: unknown) => context.log(`images: ${error instanceof Error ? error.message : String(error)}`));
  });
}
