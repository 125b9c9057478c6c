/** Signals as the docker CLI names them, and what they mean to a guest that cannot catch any. */
import { invalid } from '../../base/errors.ts';

const numbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
  RTMIN: 34,
  RTMAX: 64,
};

/**
 * What a program without handlers would survive, and what is sent to ask a server for something (reload, reopen logs, dump): nothing of it reaches a
 * WASI guest, and ending a server that was asked to reload would be the worst answer.
 */
const harmless = new Set([1, 10, 12, 17, 18, 19, 20, 21, 22, 23, 28]);

/** "15", "TERM", "sigterm", "SIGRTMIN+3" → the number. @throws invalid `Invalid signal: X` */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= 64) return number;
  } else {
    const name = text.toUpperCase().replace(/^SIG/, '');
    const number = Object.hasOwn(numbers, name) ? numbers[name] : realTime(name);
    if (number !== undefined) return number;
  }
  throw invalid(`Invalid signal: ${text}`, { hint: 'Name it as kill -l does: TERM, SIGTERM or 15.' });
}

function realTime(name: string): number | undefined {
  const match = /^RTMIN\+(\d+)$|^RTMAX-(\d+)$/.exec(name);
  if (!match) return undefined;
  const number = match[1] === undefined ? 64 - Number(match[2]) : 34 + Number(match[1]);
  return number >= 34 && number <= 64 ? number : undefined;
}

export const isHarmless = (signal: number): boolean => harmless.has(signal);

export const SIGKILL = 9;
export const SIGTERM = 15;
/** What a shell reports for a program that a signal ended. */
export const exitCodeOf = (signal: number): number => 128 + signal;
