/** Values of the engine as words of the person. The only place where meanings meet messages. */
import type { ContainerRow } from '../../electron/contract/containers.ts';
import type { Failure } from '../../electron/contract/errors.ts';
import { exitMeaning, faceOf, isAlive, type Face } from '../state/face.ts';
import type { Ask, ImportGroup } from '../state/capabilities.ts';
import type { RunProblem } from '../state/run-form.ts';
import * as format from './format.ts';
import { m } from './generated/messages.js';
import { language } from './locale.svelte.ts';

export const bytes = (count: number): string => format.bytes(count, language.locale);
/** Limits and axis marks are round numbers: no ".0". */
export const limitBytes = (count: number): string => format.bytes(count, language.locale, 0);
export const limitPercent = (value: number): string => format.percent(value, language.locale, 0);
export const exactBytes = (count: number): string => m.exact_bytes({ count: format.count(count, language.locale) });
export const percent = (value: number): string => format.percent(value, language.locale);
export const cores = (perCent: number): string => format.cores(perCent, language.locale);
export const number = (value: number): string => format.count(value, language.locale);
/** "a, b and c" without the "and". */
export const list = (items: readonly string[]): string =>
  new Intl.ListFormat(language.locale, { type: 'unit', style: 'short' }).format(items);
/** "a, b or c". */
export const either = (items: readonly string[]): string =>
  new Intl.ListFormat(language.locale, { type: 'disjunction' }).format(items);
export const instant = (time: number): string => format.instant(time, language.locale);

const unitWord: Readonly<Record<format.Unit, (inputs: { n: number }) => string>> = {
  second: m.unit_second,
  minute: m.unit_minute,
  hour: m.unit_hour,
  day: m.unit_day,
  month: m.unit_month,
  year: m.unit_year,
};

/** "2 h" or "2 h 14 min" from `time` to `now`. */
export const since = (time: number, now: number, parts: 1 | 2 = 1): string =>
  format
    .span(now - time, parts)
    .map(({ value, unit }) => unitWord[unit]({ n: value }))
    .join(' ');

const faceWord: Readonly<Record<Face, () => string>> = {
  running: m.state_running,
  paused: m.state_paused,
  restarting: m.state_restarting,
  exited: m.state_exited,
  failed: m.state_failed,
  created: m.state_created,
};
export const face = (value: Face): string => faceWord[value]();

/** What became of a container that does not run: "Exited (0)", "137: killed", "Never started". */
export function outcome(row: ContainerRow): string {
  const shown = faceOf(row);
  if (row.state === 'created') return row.error === '' ? m.outcome_created() : m.outcome_not_started();
  if (row.state === 'removing') return m.outcome_removing();
  if (shown === 'restarting') return m.outcome_restarting({ count: row.restartCount });
  const code = row.exitCode;
  switch (exitMeaning(row)) {
    case 'done':
      return m.outcome_done();
    case 'failed':
      return m.outcome_failed({ code });
    case 'engine':
      return m.outcome_engine();
    case 'notRunnable':
      return m.outcome_not_runnable();
    case 'notFound':
      return m.outcome_not_found();
    case 'interrupted':
      return m.outcome_interrupted();
    case 'trap':
      return m.outcome_trap();
    case 'killed':
      return m.outcome_killed();
    case 'stopped':
      return m.outcome_stopped();
    case 'memory':
      return m.outcome_memory({ code });
  }
}

/** How a container that failed ended, as a sentence and what to do; undefined when there is nothing to say. */
export function endOf(row: ContainerRow): Failure | undefined {
  if (isAlive(row) || faceOf(row) !== 'failed') return undefined;
  if (row.oomKilled)
    return {
      kind: 'full',
      message: row.memoryLimit > 0 ? m.ended_memory({ limit: limitBytes(row.memoryLimit) }) : m.ended_memory_open(),
      hint: m.ended_memory_hint(),
    };
  if (row.error === '') return undefined;
  if (row.state === 'exited' && exitMeaning(row) === 'trap')
    return { kind: 'internal', message: m.ended_trap({ trap: row.error }), hint: m.ended_trap_hint() };
  return { kind: 'internal', message: row.error };
}

export const askTitle: Readonly<Record<Ask, () => string>> = {
  listen: m.ask_listen,
  filesRead: m.ask_files_read,
  filesWrite: m.ask_files_write,
  connect: m.ask_connect,
  args: m.ask_args,
  env: m.ask_env,
  stdin: m.ask_stdin,
  harmless: m.ask_harmless,
};
export const askNote: Readonly<Record<Ask, () => string>> = {
  listen: m.ask_listen_note,
  filesRead: m.ask_files_note,
  filesWrite: m.ask_files_note,
  connect: m.ask_connect_note,
  args: m.ask_args_note,
  env: m.ask_env_note,
  stdin: m.ask_stdin_note,
  harmless: m.ask_harmless_note,
};

export const importGroup: Readonly<Record<ImportGroup, () => string>> = {
  files: m.imports_files,
  sockets: m.imports_sockets,
  http: m.imports_http,
  terminal: m.imports_terminal,
  arguments: m.imports_arguments,
  time: m.imports_time,
  random: m.imports_random,
  threads: m.imports_threads,
  end: m.imports_end,
  other: m.imports_other,
};

export const runProblem: Readonly<Record<RunProblem['problem'], () => string>> = {
  empty: m.problem_empty,
  upperCase: m.problem_upper_case,
  form: m.problem_form,
  quote: m.problem_quote,
  port: m.problem_port,
  portTwice: m.problem_port_twice,
  absolute: m.problem_absolute,
  targetRoot: m.problem_target_root,
  equals: m.problem_equals,
  memory: m.problem_memory,
  memorySmall: m.problem_memory_small,
  name: m.problem_name,
  restartRemove: m.problem_restart_remove,
};
