// Registers the handler tables with Temporal. All but the start of a child is synchronous, so no message is half-handled.
import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { AGENT_QUERIES, AGENT_SIGNALS, AGENT_UPDATES } from '../../contract/wire/messages.ts';
import { answering, answeringLater } from './failure.ts';
import { QUERY_HANDLERS, UPDATE_HANDLERS } from './handlers.ts';
import type { QueryHandler, UpdateHandler } from './handlers.ts';
import { startChild } from './start-child.ts';
import { SIGNAL_HANDLERS } from './signals.ts';
import { reviewBudget } from './spending.ts';
import type { AgentState } from './state.ts';
import { showDetails } from './visibility.ts';

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
        const context = { spec, now: new Date().toISOString(), startChild };
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
