// The state of a fan-out: which agents were started and which hold a slot. Pure: contract/wire only. Plain JSON,
// because continue-as-new carries it over to the next run. An index is an agent's position in the list.
import type { FanoutInput, FanoutProgress, FanoutResult, StartOutcome } from '../../contract/wire/fanout/messages.ts';

/** An agent that was killed before it was started. */
interface Drop {
  readonly index: number;
  readonly by: string;
}

/** Who ended the fan-out, and why: it starts nothing more. */
export interface FanoutEnd {
  readonly by: string;
  readonly reason: string;
}

export interface FanoutState {
  /** Index of the next agent in the list. */
  next: number;
  /** Being started by an activity. */
  starting: readonly number[];
  /** Taken from the list, but the tree was full; they are started first. */
  postponed: readonly number[];
  /** Started, and at work as far as known: each holds a slot. */
  busy: readonly number[];
  /** Released their slot before the activity that starts them has returned. */
  early: readonly number[];
  dropped: readonly number[];
  failed: readonly number[];
  /**
   * Dropped agents whose records are still to be written, and agents being started that are dropped if their start
   * fails.
   */
  drops: readonly Drop[];
  end: FanoutEnd | undefined;
  /** Attempts in a row that found the tree full. */
  refusals: number;
  /** Number of signals in the fan-out's life; a change wakes the waiting loop. */
  signals: number;
  /** Signals and activities of this run only, for continue-as-new. */
  steps: number;
}

export function initialState(): FanoutState {
  const none = { starting: [], postponed: [], busy: [], early: [], dropped: [], failed: [], drops: [] };
  return { next: 0, ...none, end: undefined, refusals: 0, signals: 0, steps: 0 };
}

/** Agents per activity: enough to hide its latency, few enough to finish within seconds. */
const BATCH = 50;

/** Takes the agents that can be started now from the list; none while the fan-out ends. */
export function takeBatch(state: FanoutState, input: FanoutInput): readonly number[] {
  const free = Math.min(input.max_concurrent - state.busy.length, BATCH);
  const batch = state.end === undefined ? state.postponed.slice(0, Math.max(free, 0)) : [];
  state.postponed = state.postponed.slice(batch.length);
  const dropped = new Set(state.dropped);
  while (batch.length < free && state.end === undefined && state.next < input.count) {
    if (!dropped.has(state.next)) batch.push(state.next);
    state.next += 1;
  }
  state.starting = batch;
  return batch;
}

/** Applies the outcomes of a batch. */
export function takeOutcomes(state: FanoutState, outcomes: readonly StartOutcome[]): void {
  const indices = (result: StartOutcome['result']): number[] =>
    outcomes.filter((outcome) => outcome.result === result).map(({ index }) => index);
  const later = [...indices('later'), ...indices('orphaned')];
  state.busy = [...state.busy, ...indices('started').filter((index) => !state.early.includes(index))];
  state.failed = [...state.failed, ...indices('failed')];
  state.postponed = [...later, ...state.postponed];
  state.refusals = indices('later').length > 0 ? state.refusals + 1 : 0;
  const dropsOfBatch = state.drops.filter(({ index }) => state.starting.includes(index));
  state.drops = state.drops.filter((drop) => !dropsOfBatch.includes(drop));
  state.starting = [];
  state.early = [];
  // Agents that did start are killed like any other agent, by the caller.
  for (const { index, by } of dropsOfBatch) drop(state, [index], by);
  if (indices('orphaned').length > 0) endFanout(state, { by: 'murmur', reason: 'its parent has ended' });
}

/** Releases an agent's slot. */
export function release(state: FanoutState, index: number): void {
  if (state.starting.includes(index)) state.early = [...state.early, index];
  state.busy = state.busy.filter((each) => each !== index);
}

/** Drops agents that have not been started; the others are left alone. */
export function drop(state: FanoutState, indices: readonly number[], by: string): void {
  const known = new Set([...state.dropped, ...state.drops.map(({ index }) => index)]);
  for (const index of new Set(indices)) {
    if (known.has(index) || !isOpen(state, index)) continue;
    state.drops = [...state.drops, { index, by }];
    if (state.starting.includes(index)) continue;
    state.dropped = [...state.dropped, index];
    state.postponed = state.postponed.filter((each) => each !== index);
  }
}

function isOpen(state: FanoutState, index: number): boolean {
  return index >= state.next || state.postponed.includes(index) || state.starting.includes(index);
}

/** Ends the fan-out; only the first request counts. */
export function endFanout(state: FanoutState, end: FanoutEnd): void {
  state.end ??= end;
}

/** Drops all agents that have not been started. */
export function dropRest(state: FanoutState, count: number, by: string): void {
  const rest = Array.from({ length: count - state.next }, (_each, offset) => state.next + offset);
  const dropped = new Set(state.dropped);
  const indices = [...state.postponed, ...rest].filter((index) => !dropped.has(index));
  state.dropped = [...state.dropped, ...indices];
  state.drops = [...state.drops, ...indices.map((index) => ({ index, by }))];
  state.postponed = [];
  state.next = count;
}

/** Whether every agent was started or dropped, and every drop is recorded. */
export function isDone(state: FanoutState, { count }: FanoutInput): boolean {
  return state.next >= count && [state.starting, state.postponed, state.drops].every((each) => each.length === 0);
}

/** Whether an agent waits and a slot is free. */
export function canStart(state: FanoutState, { count, max_concurrent }: FanoutInput): boolean {
  const waits = state.postponed.length > 0 || state.next < count;
  return state.end === undefined && waits && state.busy.length < max_concurrent;
}

export function progressOf(state: FanoutState): FanoutProgress {
  const { next, starting, postponed, dropped, failed } = state;
  return { next, starting: [...starting, ...postponed], dropped, failed };
}

export function resultOf({ dropped, failed }: FanoutState, { count }: FanoutInput): FanoutResult {
  return { started: count - dropped.length - failed.length, dropped: dropped.length, failed: failed.length };
}
