// The activities as the workflow calls them: every timeout and retry with its reason.
import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';
import type {
  AgentActivities,
  AssessInput,
  EndAgentInput,
  EndAgentResult,
  InterruptTurnInput,
  KillAgentsInput,
  KillAgentsResult,
  NoticeTurnInput,
  PrepareInput,
  PrepareResult,
  PublishEventsInput,
  RunTurnInput,
} from '../../contract/wire/activities.ts';
import type { AssessReply } from '../../contract/wire/assessment.ts';
import type { TurnOutcome } from '../../contract/wire/turns.ts';

/**
 * Making the machine and cloning. An hour is more than the largest clones take. No limit over all attempts: a laptop
 * that sleeps for a night in the middle would run into it. Twenty attempts, with the waits below about eight minutes
 * of an unreachable origin, are an origin that somebody has to look at.
 */
const PREPARE: ActivityOptions = {
  startToCloseTimeout: '1h',
  // A dead worker is noticed in this time; a kill waits for it too.
  heartbeatTimeout: '5s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 20 },
};

/**
 * A turn. It may run for days, so the limit of an attempt, which Temporal wants to have, is one that no turn reaches,
 * and there is none over all attempts. No maximum of attempts: every deploy and every dead worker uses one. A retry
 * re-attaches, so it comes at once; an error that keeps coming back brings its own delay (activities/failure.ts).
 * Five seconds without a heartbeat, which are sent every other second, are a dead worker.
 */
const TURN: ActivityOptions = {
  startToCloseTimeout: '365d',
  heartbeatTimeout: '5s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '100ms', backoffCoefficient: 1 },
};

/**
 * One request to a runner on the same host. After a minute of failing, whoever asked for an interrupt will have asked
 * again; a notice then goes with the next turn.
 */
const TELL_RUNNER: ActivityOptions = {
  // Without a heartbeat a dead worker is noticed only at this time.
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1m',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' },
};

/**
 * The end: interrupt, snapshot, stop, destroy, record. A minute is enough for the snapshot of a large work tree. Five
 * attempts bound a kill; what is left then is named in the receipt.
 */
const END: ActivityOptions = {
  startToCloseTimeout: '1m',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 5 },
};

/**
 * An assessment: a model reads and answers. Half an hour is more than the most thorough one takes. Attempts re-attach;
 * each deploy uses one, and after ten somebody has to look.
 */
const ASSESS: ActivityOptions = {
  startToCloseTimeout: '30m',
  heartbeatTimeout: '5s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 10 },
};

/**
 * A kill of everything beneath, level by level, so the time is that of the slowest agent of each. A turn takes half a minute
 * at most to be cut off, and a last snapshot of a large work tree as long; what is left after three minutes is ended by
 * the next attempt, and what then is left by whoever ordered the kill.
 */
const KILL: ActivityOptions = {
  startToCloseTimeout: '3m',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s', maximumAttempts: 5 },
};

/**
 * Appending to the event log: local, as it costs one event instead of six. It holds back the workflow task, so it is
 * short; what could not be written stays in the outbox. Nothing may follow from its answer (publisher.ts).
 */
const PUBLISH: LocalActivityOptions = {
  startToCloseTimeout: '5s',
  retry: { initialInterval: '50ms', backoffCoefficient: 2, maximumAttempts: 3 },
};

/** The summary is what Temporal's Web UI shows beside the activity's name. */
export function prepareAgent(input: PrepareInput, summary: string): Promise<PrepareResult> {
  return proxyActivities<AgentActivities>({ ...PREPARE, summary }).prepareAgent(input);
}

export function runTurn(input: RunTurnInput, summary: string): Promise<TurnOutcome> {
  return proxyActivities<AgentActivities>({ ...TURN, summary }).runTurn(input);
}

export function assess(input: AssessInput, summary: string): Promise<AssessReply> {
  return proxyActivities<AgentActivities>({ ...ASSESS, summary }).assess(input);
}

export function interruptTurn(input: InterruptTurnInput, summary: string): Promise<void> {
  return proxyActivities<AgentActivities>({ ...TELL_RUNNER, summary }).interruptTurn(input);
}

export function noticeTurn(input: NoticeTurnInput, summary: string): Promise<void> {
  return proxyActivities<AgentActivities>({ ...TELL_RUNNER, summary }).noticeTurn(input);
}

export function endAgent(input: EndAgentInput, summary: string): Promise<EndAgentResult> {
  return proxyActivities<AgentActivities>({ ...END, summary }).endAgent(input);
}

export function killAgents(input: KillAgentsInput, summary: string): Promise<KillAgentsResult> {
  return proxyActivities<AgentActivities>({ ...KILL, summary }).killAgents(input);
}

/** For the events that come while an agent ends: the end waits for them, which it must not for a local activity. */
export function publishLast(input: PublishEventsInput): Promise<void> {
  return proxyActivities<AgentActivities>({ ...PUBLISH, summary: 'last events' }).publishEvents(input);
}

export function publishEvents(input: PublishEventsInput): Promise<void> {
  return proxyLocalActivities<AgentActivities>(PUBLISH).publishEvents(input);
}
