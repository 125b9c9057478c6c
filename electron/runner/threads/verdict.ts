import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { RunOutcome } from '../../supervisor/protocol.ts';
import { NotRunnable } from '../not-runnable.ts';
import type { ThreadsOver } from './protocol.ts';

/**
 * How the run has ended whose threads the control thread has just ended (Answerer.waitForEnd): it was posted before.
 * @throws NotRunnable when the main thread never ran.
 */
export function takeVerdict(port: MessagePort): RunOutcome {
  const received = receiveMessageOnPort(port) as { message: ThreadsOver } | undefined;
  if (!received) throw new Error('the control thread did not say how the threads have ended');
  const { verdict } = received.message;
  if (verdict.kind !== 'failed') return verdict;
  throw new NotRunnable(verdict.error, verdict.exitCode, verdict.message);
}
