// Registers the handler tables with Temporal. All are synchronous, so no message is half-handled.
import { defineQuery, defineSignal, defineUpdate, patched, setHandler } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { AGENT_QUERIES, AGENT_SIGNALS, AGENT_UPDATES } from '../../contract/wire/messages.ts';
import { answering, answeringLater } from '../failure.ts';
import { QUERY_HANDLERS, UPDATE_HANDLERS } from './handlers.ts';
import type { QueryHandler, UpdateHandler } from './handlers.ts';
import { startChild } from './children/start-child.ts';
import { SIGNAL_HANDLERS } from './signals.ts';
import { reviewBudget } from './budget/spending.ts';
import type { AgentState } from './state.ts';
import { showDetails } from './visibility.ts';

/**
 * An update that is answered in a later task than the one that brought it can end a workflow's progress: with many at once,
 * server 1.31 and SDK 1.24 may mix up two tasks, and from then on each task fails with "ProtocolMessageCommand referenced
 * absent message ID" (seen once, of an agent that was asked for nineteen children at once: in the replay the answer belonged
 * to an earlier task than in the history). So a spawn is answered at once, as all other updates are.
 */
const answersAtOnce = (): boolean => patched('spawns are answered at once');

/** To be called before the first await: a message may have come with the start. */
export function registerHandlers(state: AgentState, spec: AgentSpec): void {
  for (const name of AGENT_SIGNALS) {
    setHandler(defineSignal<[unknown]>(name), (payload) => {
      const now = new Date().toISOString();
      SIGNAL_HANDLERS[name](state, payload, now, spec);
      reviewBudget(state, spec, now);
      showDetails(state, spec);
    });
  }
  for (const name of AGENT_UPDATES) {
    // The table types each entry by its name; over all names at once they have no common type.
    const { validate, handle } = UPDATE_HANDLERS[name] as UpdateHandler<unknown, unknown>;
    setHandler(
      defineUpdate<unknown, [unknown]>(name),
      (input) => {
        const context = { spec, now: new Date().toISOString(), startChild, answersAtOnce };
        const output = answering(() => handle(state, input, context));
        showDetails(state, spec);
        return output instanceof Promise ? answeringLater(output) : output;
      },
      { validator: (input) => answering(() => validate(state, input)) },
    );
  }
  for (const name of AGENT_QUERIES) {
    const answer = QUERY_HANDLERS[name] as QueryHandler<unknown, unknown>;
    setHandler(defineQuery<unknown, [unknown]>(name), (input) => answering(() => answer(state, spec, input)));
  }
}
