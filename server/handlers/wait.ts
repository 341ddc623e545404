// Waits until agents have reached a phase.
import type { ParsedInputOf } from '../../contract/operation.ts';
import type { Operations } from '../../contract/operations/index.ts';
import { defined } from '../../contract/wire/defined.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import type { Phase } from '../../contract/wire/phases.ts';
import type { LogEntry } from '../../contract/wire/events.ts';
import { addressOf } from '../address.ts';
import type { AgentAddress } from '../../agents/names.ts';
import { followLog } from '../../agents/log.ts';
import { progressOf } from '../../agents/progress.ts';
import { readStatus } from '../../agents/status.ts';
import type { FullStatus } from '../../agents/status.ts';
import type { ServerParts } from '../parts.ts';
import type { Call, Handler } from '../handler.ts';

export const wait: Handler<'wait'> = async (parts, input, call) => {
  if (input.slugs === undefined) {
    const { status } = await waitForOne(parts, addressOf(parts, call, input), input.phase, call.signal, call.progress);
    return status;
  }
  return await waitForSeveral(parts, { ...input, slugs: input.slugs }, call);
};

/** The result of a wait for one agent: it has reached the phase, or the caller has disconnected. */
interface Waited {
  readonly status: FullStatus;
  readonly reached: boolean;
}

/**
 * Follows the log from its end before the first query, so that no change is missed in between. Each lifecycle event
 * leads to another query, because only the workflow knows what is pending.
 */
async function waitForOne(
  parts: ServerParts,
  agent: AgentAddress,
  phase: Phase | undefined,
  signal: AbortSignal,
  tell: (progress: object) => void,
): Promise<Waited> {
  const [newest] = await parts.events.tail(agent.id, 1);
  let status = await readStatus(parts, agent);
  if (isReached(status, phase)) return { status, reached: true };
  tell(progressOfStatus(status));
  for await (const entry of followLog(parts, agent.id, newest?.id ?? 0, signal)) {
    if (entry !== 'silence' && entry.source === 'runner') {
      const progress = progressOf(entry.event);
      if (progress !== undefined) tell({ phase: status.phase, progress, progress_at: entry.at });
      continue;
    }
    status = await readStatus(parts, agent);
    if (isReached(status, phase) || wasReached(entry, phase)) return { status, reached: true };
    tell(progressOfStatus(status));
  }
  return { status, reached: false };
}

/** Statuses in the order of the slugs. With `any`, of the agents that have reached the phase when the first one has. */
async function waitForSeveral(
  parts: ServerParts,
  input: ParsedInputOf<Operations['wait']> & { readonly slugs: readonly string[] },
  call: Call,
): Promise<readonly FullStatus[]> {
  const { phase, workspace } = input;
  const slugs = [...(input.slug === '' ? [] : [input.slug]), ...input.slugs];
  if (slugs.length === 0) throw new MurmurError('INVALID_ARGUMENT', 'slug required', { details: { field: 'slugs' } });
  const agents = slugs.map((slug) => addressOf(parts, call, { slug, workspace }));
  const distinct = [...new Map(agents.map((agent) => [agent.id, agent])).values()];
  const stop = new AbortController();
  const signal = AbortSignal.any([call.signal, stop.signal]);
  const open = new Set(distinct);
  const waiting = distinct.map(async (agent) => {
    const waited = await waitForOne(parts, agent, phase, signal, (progress) => {
      const note = `waiting for ${[...open].map(({ slug }) => slug).join(', ')}`;
      call.progress({ phase: (progress as { readonly phase: Phase }).phase, note });
    });
    open.delete(agent);
    if (waited.reached && input.mode === 'any') stop.abort();
    return waited;
  });
  try {
    const waited = await Promise.all(waiting);
    // Agents that reached the phase together with the first one are included. The other waits were aborted.
    return waited.filter(({ reached }) => reached || input.mode === 'all').map(({ status }) => status);
  } finally {
    stop.abort();
  }
}

/**
 * Whether the wait for the phase is over. While input is unanswered, the phases after a turn do not count as reached.
 */
export function isReached(status: FullStatus, wanted: Phase | undefined): boolean {
  if (isTerminal(status.phase)) return true;
  // Without a worker, pending input is unknown.
  if (status.stale !== undefined) return false;
  const settled = status.phase === 'idle' || status.phase === 'task-complete';
  // A parked agent may hold a note of Murmur, which is pending but is not a message.
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

/** Whether the log shows that the phase was reached and has passed: a short turn may already be over. */
function wasReached(entry: LogEntry | 'silence', wanted: Phase | undefined): boolean {
  if (entry === 'silence' || entry.event.type !== 'phase') return false;
  return (wanted === 'running' || wanted === 'starting') && entry.event.phase === wanted;
}

function progressOfStatus(status: FullStatus): object {
  const { phase, progress, progress_at, reason } = status;
  return { phase, ...defined({ progress, progress_at, note: phase === 'starting' ? reason : undefined }) };
}
