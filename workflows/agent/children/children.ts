// The registry of an agent's children, and the events that the agent sends its own parent. Pure: contract/wire only.
import type { KillAgentsResult } from '../../../contract/wire/activities.ts';
import type { AgentSpec, ChildView, KillTarget } from '../../../contract/wire/agent.ts';
import { defined } from '../../../contract/wire/defined.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { absolutePathOf, parentOf, workflowIdOf } from '../../../contract/wire/identity.ts';
import type { ChildEvent } from '../../../contract/wire/messages.ts';
import { isTerminal } from '../../../contract/wire/phases.ts';
import type { Phase } from '../../../contract/wire/phases.ts';
import type { AgentState, Child } from '../state.ts';
import { head, recordEvent } from '../timeline.ts';

/** Ended children kept in the registry, which is carried over by every continue-as-new. */
const ENDED_LIMIT = 500;

/**
 * Characters of a child's last answer in the message to its parent: enough to act on. `status` of the child has all of
 * it.
 */
const ANSWER_LIMIT = 2_000;
/** Characters of that answer in the registry. */
const REGISTRY_ANSWER_LIMIT = 200;

/** Phases of a child that wake its parent. The others only appear on the parent's timeline. */
const WAKING_PHASES: readonly Phase[] = ['task-complete', 'idle', 'failed', 'completed', 'canceled'];

/** The children that have not ended, as targets of a kill. */
export function livingChildren(state: AgentState, spec: AgentSpec): readonly KillTarget[] {
  const own = workflowIdOf(spec.identity);
  return state.children
    .filter((child) => !isTerminal(child.phase))
    .map(({ slug, spawn_id, cost_usd }) => ({ agent: `${own}/${slug}`, spawn_id, cost_usd }));
}

/** The reason of an agent that idles because its children still work. */
export const WAITS_FOR_CHILDREN = { reason: 'waits for its children', code: 'waits_for_children' } as const;

/** Whether a child is still at work. */
export function hasBusyChildren(state: AgentState): boolean {
  return state.children.some(({ phase }) => phase === 'starting' || phase === 'running');
}

/** The cost of all children and their descendants, including children that are no longer in the registry. */
export function childrenCost(state: AgentState): number {
  return state.children.reduce((sum, child) => sum + child.cost_usd, state.forgotten_cost_usd);
}

/**
 * Registers a child that is about to be started. Returns false for a repeated spawn (same spawn id). Throws
 * ALREADY_EXISTS if a running child has the slug, and FAILED_PRECONDITION if an ended child had it or the agent is
 * ending.
 */
export function registerChild(state: AgentState, spec: AgentSpec, child: AgentSpec, now: string): boolean {
  const slug = child.identity.path.at(-1) ?? '';
  const known = state.children.find((each) => each.slug === slug);
  if (known?.spawn_id === child.spawn_id) return false;
  const path = `${absolutePathOf(spec.identity)}/${slug}`;
  if (state.end !== undefined) {
    throw new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(absolutePathOf(spec.identity))} is ending`, {
      hint: 'an ending agent cannot spawn children',
    });
  }
  if (known !== undefined && !isTerminal(known.phase)) {
    throw new MurmurError('ALREADY_EXISTS', `agent ${JSON.stringify(path)} is already running`, {
      hint: 'send it a follow-up instead',
      details: { slug, path },
    });
  }
  if (known !== undefined) {
    throw new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(path)} has ended: it is ${known.phase}`, {
      hint: 'spawn a new agent under another slug',
      details: { slug, path, phase: known.phase },
    });
  }
  const { spawn_id, purpose, for_flight: flight } = child;
  const entry: Child = {
    slug,
    spawn_id,
    phase: 'starting',
    phase_since: now,
    ...defined({ purpose }),
    cost_usd: 0,
    ...(flight === undefined ? {} : { flight: true }),
    is_starting: true,
  };
  state.children = [...state.children, entry];
  recordEvent(state, { type: 'child', slug, phase: 'starting', cost_usd: 0 }, now, child.created_by);
  return true;
}

/** Marks a child as started: its workflow exists. */
export function markStarted(state: AgentState, spawnId: string): void {
  state.children = state.children.map((child) => {
    if (child.spawn_id !== spawnId) return child;
    const { is_starting: _starting, ...started } = child;
    return started;
  });
}

/** Whether no child is still being started. */
export function allStarted({ children }: AgentState): boolean {
  return children.every(({ is_starting: starting }) => starting !== true);
}

/** The registry as `status` shows it. */
export function childViews({ children }: AgentState): readonly ChildView[] {
  return children.map(({ told_turn: _told, is_starting: _starting, ...view }) => view);
}

/** Removes a child that could not be started. */
export function removeChild(state: AgentState, spawnId: string): void {
  state.children = state.children.filter((child) => child.spawn_id !== spawnId);
}

/**
 * Applies a child's event to the registry and the timeline. Returns the message for the agent if the event wakes it.
 */
export function applyChildEvent(
  state: AgentState,
  spec: AgentSpec,
  event: ChildEvent,
  now: string,
): { readonly text: string } | undefined {
  const { slug, phase, reason, response, branches, cost_usd, turn } = event;
  const known = state.children.find((child) => child.spawn_id === event.spawn_id);
  // Unknown: dropped from the registry, or not started by this agent.
  if (known === undefined) return undefined;
  const short = response === undefined ? undefined : head(response, REGISTRY_ANSWER_LIMIT);
  const wakes =
    WAKING_PHASES.includes(phase) &&
    known.flight !== true &&
    !isRepeatedEnd(known, event) &&
    !wasRequestedByAgent(spec, event);
  const changed: Child = {
    ...known,
    phase,
    phase_since: event.at,
    ...defined({ reason }),
    ...defined({ response: short }),
    ...(branches.length === 0 ? {} : { branches }),
    cost_usd,
    ...(wakes ? { told_turn: turn } : {}),
  };
  state.children = dropOldestEnded(
    state,
    state.children.map((child) => (child === known ? changed : child)),
  );
  recordEvent(state, { type: 'child', slug, phase, ...defined({ reason, response: short }), cost_usd }, now, event.by);
  return wakes ? { text: eventMessage(event) } : undefined;
}

/** Records the ends of children that were killed together with the agent in the registry and the timeline. */
export function applyKillResults(state: AgentState, spec: AgentSpec, { ended }: KillAgentsResult, now: string): void {
  const own = workflowIdOf(spec.identity);
  for (const { agent, phase, total_usd: cost_usd } of ended) {
    const child = state.children.find(({ slug }) => `${own}/${slug}` === agent);
    if (child === undefined || isTerminal(child.phase)) continue;
    const endedChild: Child = { ...child, phase, phase_since: now, cost_usd };
    state.children = state.children.map((each) => (each === child ? endedChild : each));
    const by = absolutePathOf(spec.identity);
    recordEvent(state, { type: 'child', slug: child.slug, phase, cost_usd }, now, by);
  }
}

/** Records a child's cost so far, as reported outside of its events. */
export function recordCost(state: AgentState, spawnId: string, usd: number): void {
  state.children = state.children.map((child) =>
    child.spawn_id === spawnId && !isTerminal(child.phase) && child.cost_usd < usd
      ? { ...child, cost_usd: usd }
      : child,
  );
}

/**
 * Whether the event repeats the completion that the agent was already woken for. Failures and cancellations always wake
 * it.
 */
function isRepeatedEnd(known: Child, { phase, turn }: ChildEvent): boolean {
  return phase === 'completed' && known.told_turn === turn;
}

/** Whether the agent itself requested this end, and so knows of it. */
function wasRequestedByAgent(spec: AgentSpec, { phase, by }: ChildEvent): boolean {
  return isTerminal(phase) && by === absolutePathOf(spec.identity);
}

/** Drops the oldest ended children above the limit and keeps their cost. */
function dropOldestEnded(state: AgentState, children: readonly Child[]): readonly Child[] {
  const ended = children.filter((child) => isTerminal(child.phase));
  const dropped = new Set(ended.slice(0, Math.max(ended.length - ENDED_LIMIT, 0)));
  for (const child of dropped) state.forgotten_cost_usd += child.cost_usd;
  return dropped.size === 0 ? children : children.filter((child) => !dropped.has(child));
}

/** The event as a message to the agent. */
function eventMessage({ slug, phase, reason, response, branches, cost_usd }: ChildEvent): string {
  const facts = [
    `cost $${cost_usd.toFixed(2)}`,
    ...(branches.length === 0 ? [] : [`branch ${branches.join(', ')}`]),
    ...(reason === undefined ? [] : [reason]),
  ];
  const answer = response === undefined || response === '' ? '' : `\nIts last answer:\n\n${response}`;
  return `[child_lifecycle] Your child agent \`${slug}\` is ${phase} (${facts.join('; ')}).${answer}`;
}

/**
 * Queues a phase change for the parent, if there is one. Skips idling after a completed task. Replaces an unsent
 * `running`.
 */
export function notifyParent(state: AgentState, previous: Phase, now: string): void {
  if (state.to_parent === undefined) return;
  const { phase, reason, idle_code: code, end } = state;
  if (isTerminal(phase) && end?.with_parent === true) return;
  if (phase === 'starting' || (phase === 'idle' && previous === 'task-complete')) return;
  // The parent cannot pay for it either. The agent that owns the limit reports it.
  if (phase === 'idle' && state.budget?.parked === true && state.budget.refused_by !== undefined) return;
  // The agent continues by itself.
  if (phase === 'idle' && code === 'waits_for_children') return;
  // An interruption is not an end, and its sender knows of it.
  if (phase === 'idle' && code === 'interrupted') return;
  state.told += 1;
  const event: Omit<ChildEvent, 'slug' | 'spawn_id'> = {
    id: `told-${state.told}`,
    phase,
    ...defined({ reason }),
    turn: state.turns,
    ...(end !== undefined && isTerminal(phase) ? { by: end.by } : {}),
    ...(hasBusyChildren(state) ? { busy_children: true } : {}),
    ...(state.response === undefined ? {} : { response: head(state.response, ANSWER_LIMIT) }),
    branches: state.branches.map(({ branch }) => branch),
    cost_usd: state.cost.usd + childrenCost(state),
    at: now,
  };
  if (state.to_parent.at(-1)?.phase === 'running') state.to_parent.pop();
  state.to_parent.push(event);
}

/** Workflow id of the parent; undefined for a root agent. */
export function parentWorkflowId(spec: AgentSpec): string | undefined {
  const parent = parentOf(spec.identity);
  return parent === undefined ? undefined : workflowIdOf(parent);
}
