// The updates and queries of an agent, and their registration with Temporal together with the signals (signals.ts).
// Handlers throw MurmurErrors, which fail only their own call.
import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { DEQUEUE_STRATEGIES } from '../../contract/wire/agent.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { AGENT_QUERIES, AGENT_SIGNALS, AGENT_UPDATES } from '../../contract/wire/messages.ts';
import type { AgentQueries, AgentUpdates } from '../../contract/wire/messages.ts';
import { withApplicationFailures, withApplicationFailuresAsync } from '../failure.ts';
import { budgetView, reviewBudget, setBudget, recordUsage } from './budget/spending.ts';
import { spawnChild } from './children/spawn.ts';
import { SIGNAL_HANDLERS } from './signals.ts';
import type { AgentState } from './state.ts';
import { statusOf } from './status.ts';
import { createTask, getTask, listTasks, updateTask } from './turn/checklist.ts';
import { clearQueue, waitingBytes } from './turn/queue.ts';
import { showDetails } from './visibility.ts';

/** What an update needs besides the state. */
export interface UpdateContext {
  readonly spec: AgentSpec;
  readonly now: string;
}

/** An update. `validate` throws for an invalid input, which keeps it out of history, and changes nothing. */
export interface UpdateHandler<Input, Output> {
  validate(state: AgentState, input: Input): void;
  /** Synchronous, so that no message is half-handled. Returns a promise only in a history recorded before a patch. */
  handle(state: AgentState, input: Input, context: UpdateContext): Output | Promise<Output>;
}

/** One handler per update; a missing one does not compile. */
export const UPDATE_HANDLERS: {
  readonly [Name in keyof AgentUpdates]: UpdateHandler<AgentUpdates[Name]['input'], AgentUpdates[Name]['output']>;
} = {
  taskCreate: {
    validate: (state, input) => void createTask(state.tasks, requireObject(input), String(state.next_task)),
    handle: (state, input) => {
      const { tasks, task } = createTask(state.tasks, input, String(state.next_task));
      state.tasks = tasks;
      state.next_task += 1;
      return task;
    },
  },
  taskUpdate: {
    validate: (state, input) => void updateTask(state.tasks, requireObject(input)),
    handle: (state, input) => {
      const { tasks, task } = updateTask(state.tasks, input);
      state.tasks = tasks;
      return task;
    },
  },
  clearQueue: {
    validate: () => undefined,
    handle: (state) => ({ cleared: clearQueue(state) }),
  },
  setStrategy: {
    validate: (_state, input) => {
      const { strategy } = requireObject(input);
      if ((DEQUEUE_STRATEGIES as readonly string[]).includes(strategy)) return;
      throw new MurmurError('INVALID_ARGUMENT', `invalid strategy ${JSON.stringify(strategy)}`, {
        hint: `use one of ${DEQUEUE_STRATEGIES.join(', ')}`,
      });
    },
    handle: (state, { strategy }) => {
      state.strategy = strategy;
      return { strategy };
    },
  },
  spawnChild: {
    validate: (_state, input) => {
      const { spec } = requireObject(input);
      if (typeof spec?.spawn_id === 'string' && Array.isArray(spec.identity?.path)) return;
      throw new MurmurError('INVALID_ARGUMENT', 'the payload has no agent spec');
    },
    handle: (state, { spec: child }, context) => spawnChild(state, child, context),
  },
  setBudget: {
    validate: (_state, input) => {
      const { max_cost_usd: usd } = requireObject(input);
      if (Number.isFinite(usd) && usd > 0) return;
      throw new MurmurError('INVALID_ARGUMENT', `a budget is an amount above 0, not ${JSON.stringify(usd)}`);
    },
    handle: (state, { max_cost_usd: usd, from }, { spec, now }) => {
      setBudget(state, spec, usd, from, now);
      return budgetView(state) ?? { used_usd: 0, granted_usd: 0 };
    },
  },
  reportUsage: {
    validate: (_state, input) => {
      const { turn_id: turn, used_usd: used } = requireObject(input);
      if (typeof turn === 'string' && Number.isFinite(used)) return;
      throw new MurmurError('INVALID_ARGUMENT', 'the payload is not a usage report');
    },
    handle: (state, report, { spec, now }) => {
      const next = recordUsage(state, spec, report, now);
      return next === undefined ? {} : { report_at_usd: next };
    },
  },
};

/** A query; must not change the state. */
export type QueryHandler<Input, Output> = (state: AgentState, spec: AgentSpec, input: Input | undefined) => Output;

/** One handler per query; a missing one does not compile. */
export const QUERY_HANDLERS: {
  readonly [Name in keyof AgentQueries]: QueryHandler<AgentQueries[Name]['input'], AgentQueries[Name]['output']>;
} = {
  status: (state, spec, input) => statusOf(state, spec, input ?? {}),
  taskList: (state) => listTasks(state.tasks),
  waiting: waitingBytes,
  taskGet: (state, _spec, input) => getTask(state.tasks, requireObject(input).task_id),
};

/** An operator may send any payload by hand. */
function requireObject<T>(input: T | undefined): T {
  if (typeof input === 'object' && input !== null) return input;
  throw new MurmurError('INVALID_ARGUMENT', 'the payload is not an object');
}

/** Must be called before the first await: a message may arrive with the start of the workflow. */
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
    // The table types each entry by its name; there is no common type for all names.
    const { validate, handle } = UPDATE_HANDLERS[name] as UpdateHandler<unknown, unknown>;
    setHandler(
      defineUpdate<unknown, [unknown]>(name),
      (input) => {
        const context = { spec, now: new Date().toISOString() };
        const output = withApplicationFailures(() => handle(state, input, context));
        showDetails(state, spec);
        return output instanceof Promise ? withApplicationFailuresAsync(output) : output;
      },
      { validator: (input) => withApplicationFailures(() => validate(state, input)) },
    );
  }
  for (const name of AGENT_QUERIES) {
    const answer = QUERY_HANDLERS[name] as QueryHandler<unknown, unknown>;
    setHandler(defineQuery<unknown, [unknown]>(name), (input) =>
      withApplicationFailures(() => answer(state, spec, input)),
    );
  }
}
