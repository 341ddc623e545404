// The activities as the workflow calls them: every timeout and retry policy with its reason.
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
import { referenceInput } from '../reference-input.ts';

/**
 * Creates the machine and clones. An hour exceeds the largest clones. There is no schedule-to-close timeout: a laptop
 * that sleeps overnight would exceed it. Twenty attempts with these intervals tolerate about eight minutes of an
 * unreachable origin; after that a person must look.
 */
const PREPARE: ActivityOptions = {
  startToCloseTimeout: '1h',
  // A dead worker is noticed within this time; a kill waits for it too.
  heartbeatTimeout: '5s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 20 },
};

/**
 * Runs a turn, possibly for days. Temporal requires a timeout for an attempt, so it is one that no turn reaches.
 * Attempts are unlimited, as every deployment and every dead worker uses one. A retry re-attaches, so it starts at
 * once; a repeated error brings its own delay (activities/failure.ts). Heartbeats are sent every other second: five
 * seconds without one mean a dead worker.
 */
const TURN: ActivityOptions = {
  startToCloseTimeout: '365d',
  heartbeatTimeout: '5s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '100ms', backoffCoefficient: 1 },
};

/**
 * Sends one request to a runner on the same host. After a minute of failures a user has repeated the interrupt, and a
 * notice is delivered with the next turn.
 */
const TELL_RUNNER: ActivityOptions = {
  // Without heartbeats, this is when a dead worker is noticed.
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1m',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' },
};

/**
 * Ends an agent: interrupt, snapshot, stop, destroy, record. A minute is enough for the snapshot of a large work tree.
 * Five attempts bound the time of a kill; the receipt names what could not be cleaned up.
 */
const END: ActivityOptions = {
  startToCloseTimeout: '1m',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 5 },
};

/**
 * Runs an assessment: a model reads and answers. Half an hour exceeds the most thorough one. Attempts re-attach; each
 * deployment uses one, and after ten a person must look.
 */
const ASSESS: ActivityOptions = {
  startToCloseTimeout: '30m',
  heartbeatTimeout: '5s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 10 },
};

/**
 * Kills all descendants, level by level, so that each level takes as long as its slowest agent. Interrupting a turn
 * takes at most half a minute, and so does the last snapshot of a large work tree. After three minutes the next attempt
 * ends the rest.
 */
const KILL: ActivityOptions = {
  startToCloseTimeout: '3m',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s', maximumAttempts: 5 },
};

/**
 * Appends to the event log. A local activity, because it costs one history event instead of six. It blocks the workflow
 * task, so it is short. Events that could not be written stay in the outbox. No command may depend on its result
 * (publisher.ts).
 */
const PUBLISH: LocalActivityOptions = {
  startToCloseTimeout: '5s',
  retry: { initialInterval: '50ms', backoffCoefficient: 2, maximumAttempts: 3 },
};

/** Temporal's Web UI shows the summary next to the activity's name. */
export function prepareAgent(input: PrepareInput, summary: string): Promise<PrepareResult> {
  return proxyActivities<AgentActivities>({ ...PREPARE, summary }).prepareAgent(referenceInput(input));
}

export function runTurn(input: RunTurnInput, summary: string): Promise<TurnOutcome> {
  return proxyActivities<AgentActivities>({ ...TURN, summary }).runTurn(referenceInput(input));
}

export function assess(input: AssessInput, summary: string): Promise<AssessReply> {
  return proxyActivities<AgentActivities>({ ...ASSESS, summary }).assess(referenceInput(input));
}

export function interruptTurn(input: InterruptTurnInput, summary: string): Promise<void> {
  return proxyActivities<AgentActivities>({ ...TELL_RUNNER, summary }).interruptTurn(referenceInput(input));
}

export function noticeTurn(input: NoticeTurnInput, summary: string): Promise<void> {
  return proxyActivities<AgentActivities>({ ...TELL_RUNNER, summary }).noticeTurn(referenceInput(input));
}

export function endAgent(input: EndAgentInput, summary: string): Promise<EndAgentResult> {
  return proxyActivities<AgentActivities>({ ...END, summary }).endAgent(referenceInput(input));
}

export function killAgents(input: KillAgentsInput, summary: string): Promise<KillAgentsResult> {
  return proxyActivities<AgentActivities>({ ...KILL, summary }).killAgents(input);
}

/** Publishes events that arrive while an agent ends. The end awaits it, which is not allowed for a local activity. */
export function publishLast(input: PublishEventsInput): Promise<void> {
  return proxyActivities<AgentActivities>({ ...PUBLISH, summary: 'last events' }).publishEvents(input);
}

export function publishEvents(input: PublishEventsInput): Promise<void> {
  return proxyLocalActivities<AgentActivities>(PUBLISH).publishEvents(input);
}
