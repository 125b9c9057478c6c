import { SLOTS } from './calls.ts';

/** Threads that a guest may have when nobody says otherwise, the main one included: each takes 5 to 8 MB of the host's memory, so 1 GB at most. */
export const THREAD_LIMIT = 128;

/** What holds when `asked` was given as RunSpec.threadLimit. */
export const threadLimitOf = (asked: number | undefined): number => Math.max(1, Math.min(asked ?? THREAD_LIMIT, SLOTS));
