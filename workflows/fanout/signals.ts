// What each signal does to a fan-out. Pure: contract/wire only. Handlers are synchronous and never throw: an operator
// may send any payload, and an error would fail the workflow task forever.
import type { FanoutInput, FanoutSignals } from '../../contract/wire/fanout/messages.ts';
import { readOrder } from '../inbox.ts';
import { drop, endFanout, release } from './state.ts';
import type { FanoutState } from './state.ts';

/** One handler per signal; a missing one does not compile. */
export const SIGNAL_HANDLERS: {
  readonly [Name in keyof FanoutSignals]: (state: FanoutState, payload: unknown, input: FanoutInput) => void;
} = {
  released: (state, payload) => {
    const { index } = fieldsOf(payload);
    if (isIndex(index)) release(state, index);
  },
  drop: (state, payload, { count }) => {
    const { indices } = fieldsOf(payload);
    if (!Array.isArray(indices)) return;
    const known = indices.filter(isIndex).filter((index) => index < count);
    drop(state, known, readOrder(payload, '').from);
  },
  dropAll: (state, payload) => {
    const { from: by, reason } = readOrder(payload, '');
    endFanout(state, { by, reason: reason ?? `killed by ${by}` });
  },
};

function fieldsOf(payload: unknown): Readonly<Record<string, unknown>> {
  return typeof payload === 'object' && payload !== null ? (payload as Readonly<Record<string, unknown>>) : {};
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
