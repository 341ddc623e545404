// Publishes the outbox to the event log, in order, concurrently with the rest of the workflow.
//
// No command may depend on the result of a local activity. If a query is answered in the same workflow task, the result
// is recorded one task before the workflow sees it. A replay then delivers the result before signals that originally
// came first, and commands that follow from it change their order. This was measured: a kill lost at continue-as-new,
// and tasks that failed forever as non-deterministic. So a write starts whenever there are new events, and its result
// only removes the written events from the outbox.
import { condition } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { SignalOutbox } from '../outbox.ts';
import { publishEvents } from './activities.ts';
import type { AgentState } from './state.ts';
import { confirmEvents } from './timeline.ts';
import { canStart } from './turn/turn.ts';

/**
 * Events in the input of an activity, which stays in the history: some 50 KB. Further events are written separately.
 */
const OFFER_LIMIT = 100;

export interface Publisher {
  /**
   * Returns the unconfirmed events for an activity that is about to start: it writes them without delaying a workflow
   * task. They stay in the outbox until a later write of the publisher confirms them.
   */
  offer(): readonly SourcedEvent[];
}

/**
 * Whether an activity that is about to start will write the events. This saves a write, which is an event in the
 * history.
 */
function willBeOffered(state: AgentState): boolean {
  // The end of the agent writes all events. Only a turn that is still running may delay it.
  if (state.end !== undefined) return state.end.how === 'kill' || state.turn?.running !== true;
  return state.vm?.state === 'running' && state.turn?.running !== true && canStart(state, Date.now());
}

/**
 * Starts publishing the outbox. A log that cannot be written never blocks the agent: the events stay in the outbox, are
 * carried over by continue-as-new, and are retried with the next event.
 * @param signals to parent and children; they are sent before events are written
 */
export function startPublisher(state: AgentState, spec: AgentSpec, signals: Pick<SignalOutbox, 'busy'>): Publisher {
  const agent = workflowIdOf(spec.identity);
  // The first events of a new agent are written by the activity that creates its machine. Events carried over from
  // another run are written at once.
  const isNew = state.vm === undefined;
  let handedOut = isNew || state.outbox.length === 0 ? state.last_event : 0;
  // A write blocks its workflow task, and with it the signals that a parent waits for: these go first.
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
  // Runs until the workflow closes; only a defect rejects it.
  void publish();

  return {
    offer: () => {
      handedOut = state.last_event;
      return state.outbox.slice(0, OFFER_LIMIT);
    },
  };
}
