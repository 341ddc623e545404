// Decides whether an agent owns a machine. Pure: facts.ts reads the facts before, so that each case can be tested.
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import type { OrphanReason } from '../../contract/wire/machines.ts';
import type { MachineLabels } from '../../drivers/machines/provider.ts';
import { machineName } from '../names.ts';
import type { MachineOwner } from '../machine.ts';

/**
 * How long after the last close an end may still be under way, in milliseconds. An end whose workflow was terminated in
 * its middle runs for its minute at most (END in workflows/agent/activities.ts); the kill of a server without a worker
 * waits 15 s for a record and then destroys the machine (server/timing.ts). Two ends at once could cost the last
 * snapshot.
 */
export const CLOSE_GRACE_MS = 60_000;

/** An agent's current execution, as a strongly consistent `describe` shows it. */
export interface AgentExecution {
  /** Undefined for an execution that was started past the API. */
  readonly spawnId: string | undefined;
  /** ISO 8601, of the spawn. */
  readonly createdAt: string | undefined;
  /** Whether it has not closed: true also for a paused one and for a status that this build does not know. */
  readonly isOpen: boolean;
  readonly closedAt: Date | undefined;
  /** Closed at once because an ancestor was killed, which ends its machine afterwards. */
  readonly leftMachine: boolean;
}

/** What is known about a machine. */
export interface MachineFacts {
  readonly name: string;
  readonly labels: MachineLabels;
  /** Undefined when Temporal does not know the agent. */
  readonly execution: AgentExecution | undefined;
  /** From the parent up, as far as `awaitsAncestor` asks for them. */
  readonly ancestors: readonly (AgentExecution | undefined)[];
  /** Spawn id in the record of the agent; undefined without a record. */
  readonly recordedSpawn: string | undefined;
  /**
   * When the spec of the labelled spawn was made, from its seal; undefined when this installation has not sealed it.
   */
  readonly sealedAt: string | undefined;
}

export type Ownership =
  /** Its agent is alive. */
  | { readonly state: 'owned' }
  /** It belongs to another installation. */
  | { readonly state: 'foreign' }
  /** Its agent has closed, and its end may still be under way. */
  | { readonly state: 'pending' }
  /** No agent owns it and no clean-up is under way: the sweep ends it. */
  | { readonly state: 'unowned' }
  /** Nothing shows whether it is needed: only a person ends it. */
  | { readonly state: 'orphaned'; readonly reason: OrphanReason };

/** Decides on the ownership. In doubt, a machine is owned, pending or orphaned, and is not ended. */
export function ownershipOf(facts: MachineFacts, home: MachineOwner, now: Date): Ownership {
  const { labels, execution } = facts;
  if (!isOwnStack(labels, home)) return { state: 'foreign' };
  if (isAlive(facts)) return { state: 'owned' };
  const { agent, spawn, stack, namespace } = labels;
  if (agent === undefined || spawn === undefined || stack === undefined || namespace === undefined) {
    return orphaned('label_missing');
  }
  if (namespace !== home.namespace) return orphaned('other_namespace');
  // An end works on the machine that is derived from agent and spawn. It would skip this one in each round.
  if (parseWorkflowId(agent) === undefined || facts.name !== machineName(agent, spawn)) {
    return orphaned('label_mismatch');
  }
  if (facts.sealedAt === undefined) return orphaned('not_sealed');
  if (execution === undefined) {
    // With a record, the end is complete. Temporal deletes closed executions after its retention.
    return facts.recordedSpawn === spawn ? { state: 'unowned' } : orphaned('unknown_agent');
  }
  if (execution.spawnId !== spawn) return ownershipOfOtherLife(execution, facts.sealedAt, now);
  return isEnding(facts, now) ? { state: 'pending' } : { state: 'unowned' };
}

/** Whether the machine is of this installation. One without the label counts as ours. */
export function isOwnStack(labels: MachineLabels, home: MachineOwner): boolean {
  return (labels['stack'] ?? home.stack) === home.stack;
}

/** Whether the open execution is the machine's. Machines of the first builds are labelled with the agent only. */
function isAlive({ name, labels: { agent, spawn }, execution }: MachineFacts): boolean {
  if (execution?.isOpen !== true || agent === undefined || execution.spawnId === undefined) return false;
  return spawn === undefined ? name === machineName(agent, execution.spawnId) : spawn === execution.spawnId;
}

/**
 * At most one execution of an agent is open, so that an earlier life is closed; the next one begins only when its end
 * is done. A spawn that is newer than all that Temporal knows was forgotten by it, as after a restored backup.
 */
function ownershipOfOtherLife({ createdAt, closedAt }: AgentExecution, sealedAt: string, now: Date): Ownership {
  if (createdAt === undefined || sealedAt >= createdAt) return orphaned('unknown_agent');
  return isRecent(closedAt, now) ? { state: 'pending' } : { state: 'unowned' };
}

/** Whether somebody may still be cleaning up after the closed agent. */
function isEnding({ execution, ancestors }: MachineFacts, now: Date): boolean {
  const chain = [execution, ...ancestors];
  const waitsForOpen = chain.some((each, index) => index > 0 && each?.isOpen === true);
  return waitsForOpen || chain.some((each) => isRecent(each?.closedAt, now));
}

/**
 * Whether another ancestor counts. A kill goes from the top down: it ends the descendants of a closed agent after that
 * agent. So the nearest ancestor that did not leave its own machine ends this one.
 */
export function awaitsAncestor(execution: AgentExecution | undefined): boolean {
  return execution?.isOpen === false && execution.leftMachine;
}

function isRecent(closedAt: Date | undefined, now: Date): boolean {
  return closedAt !== undefined && now.getTime() - closedAt.getTime() < CLOSE_GRACE_MS;
}

function orphaned(reason: OrphanReason): Ownership {
  return { state: 'orphaned', reason };
}
