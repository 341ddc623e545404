// Hands the outbox to the event log, in order, beside everything else that the workflow does.
import { condition } from '@temporalio/workflow';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { publishEvents } from './activities.ts';
import type { Messenger } from './messenger.ts';
import type { AgentState } from './state.ts';
import { canStart } from './turn.ts';

/** Events in one append: a hundred of at most 2 KB are far below what a payload may hold. */
const BATCH = 100;

export interface Publisher {
  /**
   * Hands the unconfirmed events to a turn that starts, which writes them without delaying the first workflow task.
   * They stay in the outbox until a write of our own has confirmed them, with the first event that comes after.
   */
  offer(): readonly SourcedEvent[];
  /** Resolves once nothing is being written and the outbox is empty, or could not be written. */
  drain(): Promise<void>;
  /** Whether a write is under way: the workflow must not close then. */
  readonly busy: boolean;
}

/** A turn is about to start: its events go with those of what started it, as each write is an event in the history. */
function startsTurn(state: AgentState): boolean {
  const free = state.end === undefined && state.vm?.state === 'running' && state.turn?.running !== true;
  return free && canStart(state, Date.now());
}

/**
 * Starts to publish whatever comes into the outbox. A log that cannot be written never holds up the agent: the events
 * stay in the outbox, travel with continue-as-new, and are tried again with the next event.
 * @param family what tells parent and children; before the outbox is drained it has to be
 */
export function startPublisher(state: AgentState, spec: AgentSpec, family: Pick<Messenger, 'busy'>): Publisher {
  const agent = workflowIdOf(spec.identity);
  let busy = false;
  // The last event that a failed write held: without a newer one, trying again at once would only fail again.
  let failedAt = 0;
  let offered = 0;
  // A write holds back the workflow task that it is made in, and with it what a parent waits for: that goes first.
  const pending = (): boolean =>
    state.outbox.length > 0 && state.last_event > Math.max(failedAt, offered) && !startsTurn(state) && !family.busy;

  const publish = async (): Promise<void> => {
    for (;;) {
      await condition(pending);
      busy = true;
      const events = state.outbox.slice(0, BATCH);
      const last = events[events.length - 1]?.seq ?? 0;
      try {
        await publishEvents({ agent, events });
        state.outbox = state.outbox.filter(({ seq }) => seq > last);
      } catch {
        failedAt = state.last_event;
      } finally {
        busy = false;
      }
    }
  };
  // It runs for as long as the workflow does, and only a defect can end it.
  void publish();

  return {
    offer: () => {
      // More than a batch is a log that could not be written: that is for our own writes, one after the other.
      if (state.outbox.length > BATCH) return [];
      offered = state.last_event;
      return [...state.outbox];
    },
    drain: () => condition(() => !busy && !pending()),
    get busy() {
      return busy;
    },
  };
}
