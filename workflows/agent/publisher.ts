// Hands the outbox to the event log, in order, beside everything else that the workflow does.
//
// Nothing that a local activity answers may lead to a command. With a query in the same workflow task its result is in
// the history one task before the workflow hears of it, so that in a replay it comes before the messages that came
// first: what follows from it then follows in another order (measured: a kill lost at continue-as-new, and tasks that
// failed as not deterministic for ever). So a write is started whenever there is something new, and its answer only
// takes what is written out of the outbox.
import { condition } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { SignalOutbox } from '../outbox.ts';
import { publishEvents } from './activities.ts';
import type { AgentState } from './state.ts';
import { confirmEvents } from './timeline.ts';
import { canStart } from './turn/turn.ts';

/** Events in the input of an activity, which stays in the history: some 50 KB. Others wait for a write of their own. */
const OFFER_LIMIT = 100;

export interface Publisher {
  /**
   * Hands the unconfirmed events to an activity that starts, which writes them without delaying a workflow task. They
   * stay in the outbox until a write of our own has confirmed them, with the first event that comes after.
   */
  offer(): readonly SourcedEvent[];
}

/** An activity is about to start that takes the events with it, as each write is an event in the history. */
function willBeOffered(state: AgentState): boolean {
  // The end of the agent writes everything; only what is left of a last turn may take long.
  if (state.end !== undefined) return state.end.how === 'kill' || state.turn?.running !== true;
  return state.vm?.state === 'running' && state.turn?.running !== true && canStart(state, Date.now());
}

/**
 * Starts to publish whatever comes into the outbox. A log that cannot be written never holds up the agent: the events
 * stay in the outbox, travel with continue-as-new, and are tried again with the next event.
 * @param signals to parent and children: they are sent before an event is written
 */
export function startPublisher(state: AgentState, spec: AgentSpec, signals: Pick<SignalOutbox, 'busy'>): Publisher {
  const agent = workflowIdOf(spec.identity);
  // What a new agent begins with goes with the making of its machine; what another run has left is written at once.
  const isNew = state.vm === undefined;
  let handedOut = isNew || state.outbox.length === 0 ? state.last_event : 0;
  // A write holds back the workflow task that it is made in, and with it what a parent waits for: that goes first.
  const pending = (): boolean => state.last_event > handedOut && !willBeOffered(state) && !signals.busy;

  const publish = async (): Promise<void> => {
    for (;;) {
      await condition(pending);
      const last = state.last_event;
      handedOut = last;
      publishEvents({ agent, events: [...state.outbox] }).then(
        () => confirmEvents(state, last),
        () => undefined,
      );
    }
  };
  // It runs for as long as the workflow does, and only a defect can end it.
  void publish();

  return {
    offer: () => {
      handedOut = state.last_event;
      return state.outbox.slice(0, OFFER_LIMIT);
    },
  };
}
