// Blocks until an agent is where the caller wants it.
import { isTerminal } from '../../contract/wire/phases.ts';
import type { Phase } from '../../contract/wire/phases.ts';
import type { LogEntry } from '../../contract/wire/events.ts';
import { addressOf } from '../agents/address.ts';
import { followLog } from '../agents/follow.ts';
import { progressOf } from '../agents/progress.ts';
import { readStatus } from '../agents/status.ts';
import type { FullStatus } from '../agents/status.ts';
import type { Handler } from './handler.ts';

/**
 * The log is followed from where it stood before the first question, so that no change falls between the two; each
 * lifecycle event leads to a new question, since only the workflow knows what is still pending.
 */
export const wait: Handler<'wait'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  const [newest] = await parts.events.tail(agent.id, 1);
  let status = await readStatus(parts, agent);
  if (isReached(status, input.phase)) return status;
  call.progress(progressOfStatus(status));
  for await (const entry of followLog(parts, agent.id, newest?.id ?? 0, call.signal)) {
    if (entry !== 'silence' && entry.source === 'runner') {
      const progress = progressOf(entry.event);
      if (progress !== undefined) call.progress({ phase: status.phase, progress, progress_at: entry.at });
      continue;
    }
    status = await readStatus(parts, agent);
    if (isReached(status, input.phase) || wasReached(entry, input.phase)) return status;
    call.progress(progressOfStatus(status));
  }
  return status;
};

/**
 * Whether a waiter for the phase may go on. Input that is not answered yet holds back the phases that a turn leads to.
 */
export function isReached(status: FullStatus, wanted: Phase | undefined): boolean {
  if (isTerminal(status.phase)) return true;
  // Without a worker nothing is known of pending input.
  if (status.stale !== undefined) return false;
  const settled = status.phase === 'idle' || status.phase === 'task-complete';
  // A parked agent holds back a note of Murmur's own, which counts as pending but not as somebody's message.
  const unasked = status.queued.length === 0 && status.turn?.running !== true;
  switch (wanted) {
    case undefined:
      return (settled && !status.pending_input) || (status.parked !== undefined && unasked);
    case 'task-complete':
      return settled && !status.pending_input;
    case 'idle':
      return status.phase === 'idle' && unasked;
    default:
      return status.phase === wanted;
  }
}

/** A phase that nothing can follow up on counts although it has passed by: a short turn may be over already. */
function wasReached(entry: LogEntry | 'silence', wanted: Phase | undefined): boolean {
  if (entry === 'silence' || entry.event.type !== 'phase') return false;
  return (wanted === 'running' || wanted === 'starting') && entry.event.phase === wanted;
}

function progressOfStatus(status: FullStatus): object {
  const { phase, progress, progress_at: at } = status;
  return { phase, ...(progress === undefined ? {} : { progress }), ...(at === undefined ? {} : { progress_at: at }) };
}
