// The updates and queries of an agent, typed so that a missing one does not compile. Pure: contract/wire only.
// Errors are MurmurErrors; workflow.ts turns them into Temporal failures.
import { DEQUEUE_STRATEGIES } from '../../contract/wire/agent.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { AgentQueries, AgentUpdates } from '../../contract/wire/messages.ts';
import { createTask, getTask, listTasks, updateTask } from './turn/checklist.ts';
import { enterChild, noteStarted, removeChild } from './children/children.ts';
import { clearQueue, waitingBytes } from './turn/queue.ts';
import { budgetView, grantChild, refuseWhenSpent, releaseChild, setBudget, takeUsage } from './budget/spending.ts';
import type { AgentState } from './state.ts';
import { statusOf } from './status.ts';

/** Starts a child's workflow; resolves once Temporal has it. Throws MurmurError ALREADY_EXISTS. */
export type StartChild = (child: AgentSpec) => Promise<void>;

/** What an update works with beside the state. */
export interface UpdateContext {
  readonly spec: AgentSpec;
  readonly now: string;
  readonly startChild: StartChild;
  /** False in a history whose spawns were answered when the child had started. */
  readonly answersAtOnce: () => boolean;
}

/** An update: `validate` throws without changing anything and keeps a bad one out of history. */
export interface UpdateHandler<Input, Output> {
  validate(state: AgentState, input: Input): void;
  /** Synchronous, so that no message is half-handled. A promise only where an old history has one. */
  handle(state: AgentState, input: Input, context: UpdateContext): Output | Promise<Output>;
}

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
      throw new MurmurError('INVALID_ARGUMENT', 'the payload holds no spec of an agent');
    },
    handle: (state, { spec: child }, context) => {
      const answer = { slug: child.identity.path.at(-1) ?? '' };
      if (!context.answersAtOnce()) return spawnAndWait(state, child, context, answer);
      if (!enter(state, child, context)) return answer;
      startEntered(state, child, context).catch((error: unknown) => {
        // Whoever asked looks for the child, and finds that it is not there.
        if (!(error instanceof MurmurError)) throw error;
      });
      return answer;
    },
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
      throw new MurmurError('INVALID_ARGUMENT', 'the payload is no report of usage');
    },
    handle: (state, report, { spec, now }) => {
      const next = takeUsage(state, spec, report, now);
      return next === undefined ? {} : { report_at_usd: next };
    },
  },
};

/** A query: changes nothing. */
export type QueryHandler<Input, Output> = (state: AgentState, spec: AgentSpec, input: Input | undefined) => Output;

export const QUERY_HANDLERS: {
  readonly [Name in keyof AgentQueries]: QueryHandler<AgentQueries[Name]['input'], AgentQueries[Name]['output']>;
} = {
  status: (state, spec, input) => statusOf(state, spec, input ?? {}),
  taskList: (state) => listTasks(state.tasks),
  waiting: waitingBytes,
  taskGet: (state, _spec, input) => getTask(state.tasks, requireObject(input).task_id),
};

/** Whoever sends by hand may send anything. */
function requireObject<T>(input: T | undefined): T {
  if (typeof input === 'object' && input !== null) return input;
  throw new MurmurError('INVALID_ARGUMENT', 'the payload is not an object');
}

type SpawnAnswer = AgentUpdates['spawnChild']['output'];

/** False when this very spawn has been entered before. Throws for one that is refused. */
function enter(state: AgentState, child: AgentSpec, { spec, now }: UpdateContext): boolean {
  if (!state.children.some(({ spawn_id }) => spawn_id === child.spawn_id)) refuseWhenSpent(state, spec);
  return enterChild(state, spec, child, now);
}

/** Starts a child that is entered; takes it back when that cannot be. */
async function startEntered(state: AgentState, child: AgentSpec, { startChild }: UpdateContext): Promise<void> {
  try {
    await startChild(grantChild(state, child));
    noteStarted(state, child.spawn_id);
  } catch (error) {
    removeChild(state, child.spawn_id);
    releaseChild(state, child.spawn_id, 0);
    throw error;
  }
}

/** As it was until spawns were answered at once: also a refusal comes later. */
async function spawnAndWait(
  state: AgentState,
  child: AgentSpec,
  context: UpdateContext,
  answer: SpawnAnswer,
): Promise<SpawnAnswer> {
  if (enter(state, child, context)) await startEntered(state, child, context);
  return answer;
}
