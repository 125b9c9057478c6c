/** The verbs, put together as the API that the doors see. */
import type { ContainersApi, ExecsApi, NetworksApi } from '../api/index.ts';
import { attach } from './attach.ts';
import { commit } from './commit.ts';
import { connect, disconnect } from './connect.ts';
import type { Context } from './context.ts';
import { create } from './create.ts';
import { endStart } from './end-run.ts';
import { openExecs } from './exec/execs.ts';
import { giveUpRestart } from './exit.ts';
import { archive, exportFiles } from './files/archive.ts';
import { changes } from './files/changes.ts';
import { extract } from './files/extract.ts';
import { statPath } from './files/stat.ts';
import { kill } from './kill.ts';
import { list } from './list.ts';
import { pause, unpause } from './pause.ts';
import { prune } from './prune.ts';
import { recover, resume } from './recover.ts';
import { remove } from './remove.ts';
import { rename } from './rename.ts';
import { resize } from './resize.ts';
import { restart } from './restart.ts';
import { refusals, rules, setRules } from './rules.ts';
import { SIGTERM } from './signals.ts';
import { size } from './size.ts';
import { start } from './start.ts';
import { StatsMeters } from './stats.ts';
import { stop } from './stop.ts';
import { top } from './top.ts';
import { trace } from './trace.ts';
import { update } from './update.ts';
import { wait } from './wait.ts';

export interface Containers {
  readonly api: ContainersApi;
  readonly execs: ExecsApi;
  /** The half of the networks' verbs that needs a container. */
  readonly networking: Pick<NetworksApi, 'connect' | 'disconnect' | 'rules' | 'setRules' | 'refusals'>;
  /** Starts what restart policies want, once the engine is whole. */
  resume(): void;
  /** Ends all runs; their restart policies are honoured by the next open. */
  close(): Promise<void>;
}

export function openContainers(context: Context, home: string): Containers {
  recover(context, home);
  const meters = new StatsMeters();
  return {
    api: {
      create: (spec) => create(context, spec),
      start: (ref) => start(context, ref),
      stop: (ref, options) => stop(context, ref, options),
      kill: (ref, signal) => kill(context, ref, signal),
      restart: (ref, options) => restart(context, ref, options),
      pause: (ref) => pause(context, ref),
      unpause: (ref) => unpause(context, ref),
      rename: (ref, name) => rename(context, ref, name),
      remove: (ref, options) => remove(context, ref, options),
      wait: (ref, condition, signal) => wait(context, ref, condition, signal),
      attach: (ref, options) => attach(context, ref, options),
      logs: (ref, options, signal) => context.store.find(ref).log.read(options, signal),
      resize: (ref, rows, columns) => resize(context, ref, rows, columns),
      top: (ref) => top(context, ref),
      stats: (ref, options, signal) => meters.stats(context, ref, options, signal),
      update: (ref, change) => update(context, ref, change),
      get: (ref) => context.store.find(ref).view(),
      list: (options) => list(context, options),
      size: (ref) => size(context, ref),
      prune: (filters) => prune(context, filters),
      trace: (ref, request) => trace(context, ref, request),
      statPath: (ref, path) => statPath(context, ref, path),
      archive: (ref, path) => archive(context, ref, path),
      extract: (ref, path, tar, options) => extract(context, ref, path, tar, options),
      export: (ref) => exportFiles(context, ref),
      changes: (ref) => changes(context, ref),
      commit: (ref, options) => commit(context, ref, options),
    },
    execs: openExecs(context),
    networking: {
      connect: (ref, container, aliases, request) => connect(context, ref, container, { ...request, aliases }),
      disconnect: (ref, container, { force }) => disconnect(context, ref, container, force),
      rules: (container) => rules(context, container),
      setRules: (container, wanted) => setRules(context, container, wanted),
      refusals: (container) => refusals(context, container),
    },
    resume: () => resume(context),
    async close() {
      context.closing = true;
      await Promise.all(
        [...context.store.all()].map(async (container) => {
          if (!giveUpRestart(context, container, false))
            await endStart(context, container, { signal: SIGTERM, by: 'shutdown' });
        }),
      );
    },
  };
}
