// What each signal does to the state. Pure: contract/wire only. Handlers are synchronous and never throw: a signal has
// no answer, and an error would fail the workflow task forever.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { defined } from '../../contract/wire/defined.ts';
import { flightIdOf } from '../../contract/wire/flight/messages.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import type { AgentSignals, FlightEvent } from '../../contract/wire/messages.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import { INLINE_TEXT_LIMIT } from '../../contract/wire/turns.ts';
import type { FollowUp } from '../../contract/wire/turns.ts';
import {
  readBudgetGrant,
  readBudgetNotice,
  readBudgetRequest,
  readChildEvent,
  readFlightEvent,
  readFollowUp,
  readKill,
  readOrder,
  readUpload,
} from '../inbox.ts';
import { queueNotice } from './budget/budget.ts';
import { recordSpent, applyGrant, recordRequest } from './budget/shares.ts';
import { beginBudget, releaseChild } from './budget/spending.ts';
import { recordCost, applyChildEvent } from './children/children.ts';
import type { AgentState } from './state.ts';
import { recordEvent } from './timeline.ts';
import { requestEnd } from './transitions.ts';

/** Applies one signal to the state. */
export type SignalHandler = (state: AgentState, payload: unknown, now: string, spec: AgentSpec) => void;

/**
 * Ids of messages that are kept to drop duplicates. A caller repeats a message within minutes, not a thousand messages
 * later. The list is carried over by every continue-as-new.
 */
export const SEEN_LIMIT = 1_000;

/** Notices that may wait for a turn. */
const NOTICE_LIMIT = 50;

/** One handler per signal; a missing one does not compile. */
export const SIGNAL_HANDLERS: { readonly [Name in keyof AgentSignals]: SignalHandler } = {
  queueAdd: (state, payload, now) => takeFollowUp(state, 'queue', payload, now),
  sessionSend: (state, payload, now) => takeFollowUp(state, 'send', payload, now),
  notify: (state, payload, now) => takeFollowUp(state, 'notify', payload, now),
  interrupt: (state, payload, now) => {
    const order = readOrder(payload, countMessage(state));
    if (!isNew(state, order.id)) return;
    if (state.turn?.running === true) {
      state.turn.interrupted_by ??= order.from;
      note(state, `interrupted by ${order.from}`, now, order.from);
    } else if (state.assessing !== undefined) {
      state.assessing.interrupted_by ??= order.from;
    } else {
      note(state, `interrupt by ${order.from}: no turn was running`, now, order.from);
    }
  },
  kill: (state, payload, now, spec) => {
    const order = readKill(payload, countMessage(state));
    // It was meant for an earlier life of the agent's id.
    if (order.spawn_id !== undefined && order.spawn_id !== spec.spawn_id) return;
    if (!isNew(state, order.id)) return;
    const { from: by, reason, with_parent, leave_machine } = order;
    if (requestEnd(state, { how: 'kill', by, reason, ...defined({ with_parent, leave_machine }) })) {
      note(state, `kill by ${order.from}`, now, order.from);
    }
  },
  stop: (state, payload, now) => {
    const order = readOrder(payload, countMessage(state));
    if (!isNew(state, order.id)) return;
    if (requestEnd(state, { how: 'stop', by: order.from, reason: order.reason })) {
      note(state, `stop by ${order.from}: the session ends after this turn`, now, order.from);
    }
  },
  upload: (state, payload, now) => {
    const { id, from } = readOrder(payload, countMessage(state));
    if (!isNew(state, id)) return;
    const upload = readUpload(payload);
    if (upload === undefined) note(state, 'upload was dropped: its payload is not one', now);
    else recordEvent(state, { type: 'upload', ...upload }, now, from);
  },
  childEvent: (state, payload, now, spec) => {
    state.run.signals += 1;
    const event = readChildEvent(payload);
    if (event === undefined) {
      note(state, 'childEvent was dropped: its payload is not one', now);
      return;
    }
    const id = `${event.spawn_id}/${event.id}`;
    if (!isNew(state, id)) return;
    if (isTerminal(event.phase)) releaseChild(state, event.spawn_id, event.cost_usd);
    else if (state.budget !== undefined) recordSpent(state.budget, event.spawn_id, event.cost_usd);
    const message = applyChildEvent(state, spec, event, now);
    // An agent that ends takes no more input: the message would only be listed as undelivered in its record.
    if (message === undefined || state.end !== undefined) return;
    const from = `${absolutePathOf(spec.identity)}/${event.slug}`;
    state.queue.push({ id, kind: 'child', text: message, from, at: now });
  },
  flightEvent: (state, payload, now, spec) => takeFlightEvent(state, spec, payload, now),
  budgetRequest: (state, payload) => {
    state.run.signals += 1;
    const request = readBudgetRequest(payload);
    if (request === undefined) return;
    recordCost(state, request.spawn_id, request.spent_usd);
    if (state.budget !== undefined) recordRequest(state.budget, request);
  },
  budgetGrant: (state, payload) => {
    state.run.signals += 1;
    const grant = readBudgetGrant(payload);
    if (grant === undefined || state.to_parent === undefined) return;
    state.budget ??= beginBudget(state);
    applyGrant(state.budget, grant);
  },
  budgetNotice: (state, payload) => {
    state.run.signals += 1;
    const notice = readBudgetNotice(payload);
    if (notice !== undefined && state.budget !== undefined) queueNotice(state.budget, notice);
  },
};

function takeFlightEvent(state: AgentState, spec: AgentSpec, payload: unknown, now: string): void {
  state.run.signals += 1;
  const event = readFlightEvent(payload);
  if (event === undefined || spec.flight === undefined || !isNew(state, event.id)) return;
  if (event.last === true) state.flight_over = true;
  if (state.end === undefined) state.queue.push(flightMessage(spec, event, now));
}

/** The message for the pilot. Its kind keeps it in a cleared queue, because the flight sends it only once. */
function flightMessage({ identity }: AgentSpec, { id, text }: FlightEvent, now: string): FollowUp {
  return { id, kind: 'child', text: { text: text.slice(0, INLINE_TEXT_LIMIT) }, from: flightIdOf(identity), at: now };
}

const SIGNAL_OF = { queue: 'queueAdd', send: 'sessionSend', notify: 'notify' } as const;

function takeFollowUp(state: AgentState, kind: keyof typeof SIGNAL_OF, payload: unknown, now: string): void {
  const reading = readFollowUp(payload, kind, countMessage(state), now);
  if ('problem' in reading) {
    note(state, `${SIGNAL_OF[kind]} was dropped: ${reading.problem}`, now);
    return;
  }
  const followUp: FollowUp = reading.value;
  if (!isNew(state, followUp.id)) return;
  const inbox = { queue: state.queue, send: state.sends, notify: state.notices }[kind];
  inbox.push(followUp);
  // No turn may read notices for days; the oldest are dropped.
  if (state.notices.length > NOTICE_LIMIT) state.notices.shift();
  const { id, from, text } = followUp;
  recordEvent(state, { type: 'followUp', id, from, text: text.text, how: kind }, now, from);
}

/** Counts the signal. Its number in the agent's life is the id of a signal without one. */
function countMessage(state: AgentState): string {
  state.messages += 1;
  state.run.signals += 1;
  return `signal-${state.messages}`;
}

/** Records the id; false if it is known already. */
function isNew(state: AgentState, id: string): boolean {
  if (state.seen.includes(id)) return false;
  state.seen.push(id);
  if (state.seen.length > SEEN_LIMIT) state.seen.splice(0, state.seen.length - SEEN_LIMIT);
  return true;
}

function note(state: AgentState, text: string, now: string, by?: string): void {
  recordEvent(state, { type: 'note', text }, now, by);
}
