// The workflow of one flight: connects the pure graph to signals, timers and activities. It lives as long as its pilot,
// so that failed work can be run again. Nothing is awaited between the last check of the state and return or
// continue-as-new.
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { FlightInput, StoredFlight } from '../../contract/wire/flight/messages.ts';
import type { FlightView } from '../../contract/wire/flight/view.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { FlightEvent } from '../../contract/wire/messages.ts';
import { activityProblem } from '../failure.ts';
import { startOutbox } from '../outbox.ts';
import type { SignalOutbox } from '../outbox.ts';
import { readFlight } from './activities.ts';
import { perform } from './perform.ts';
import type { Flight } from './perform.ts';
import { notifyPilot } from './pilot-messages.ts';
import { initialState } from './state.ts';
import type { FlightState } from './state.ts';
import { msUntilNextAsk, step } from './step.ts';
import { detailsOf, viewOf } from './view.ts';
import { registerHandlers } from './handlers.ts';
import type { FlightRef } from './handlers.ts';

/** Signals and updates in one run: each costs some events, and a history may have 51,200. */
const MESSAGES_PER_RUN = 1_000;
/** Events in one run: replaying more takes seconds. */
const EVENTS_PER_RUN = 5_000;

/** What one run carries over to the next. */
export interface CarriedFlight {
  readonly stored: StoredFlight;
  readonly state: FlightState;
}

/**
 * One flight, until its pilot ends.
 * @param input the pilot whose flight it is
 * @param carried the state of the previous run, when the workflow continues as new
 */
export async function flight(input: FlightInput, carried?: CarriedFlight): Promise<FlightView> {
  // Messages that arrived with the start are delivered as soon as a handler is registered.
  const ref: FlightRef = { flight: carried === undefined ? undefined : begin(input, carried), ended: false };
  registerHandlers(ref, input);
  // A cancellation in Temporal's Web UI ends the flight; its agents belong to the pilot and continue.
  void CancellationScope.current().cancelRequested.catch(() => {
    if (ref.flight === undefined) ref.ended = true;
    else Object.assign(ref.flight.state, { ended: true });
  });
  return await CancellationScope.nonCancellable(async () => {
    ref.flight ??= begin(input, await load(input));
    if (ref.ended) ref.flight.state.ended = true;
    return await runLoop(ref.flight, startPilotOutbox(ref.flight));
  });
}

function begin(input: FlightInput, { stored, state }: CarriedFlight): Flight {
  return { input, stored, state: { ...state, messages: 0 }, pending: 0, changed: true };
}

/** Reads the plan. If it is gone, the flight has no agents and the pilot is told why. */
async function load({ pilot }: FlightInput): Promise<CarriedFlight> {
  try {
    const stored = await readFlight({ key: pilot.flight?.key ?? '' });
    return { stored, state: initialState(stored.plan) };
  } catch (error) {
    const problem = activityProblem(error);
    if (problem === undefined) throw error;
    const plan = { name: pilot.flight?.name ?? '', notes: '', settings: {}, nodes: [] };
    const state = initialState(plan);
    notifyPilot(state, `[flight] The flight cannot begin: ${problem.message}`, { last: true });
    return { stored: { plan, tree_limit: 0 }, state: { ...state, finished_at: new Date().toISOString() } };
  }
}

/** Sends messages to the pilot. A pilot that cannot be reached has ended, and so does the flight. */
function startPilotOutbox(flight: Flight): SignalOutbox {
  const { state, input } = flight;
  const pilot = getExternalWorkflowHandle(workflowIdOf(input.pilot.identity));
  return startOutbox<FlightEvent>({
    ready: () => state.to_pilot.length > 0,
    take: () => {
      const message = state.to_pilot.shift();
      return message && { ...message, at: new Date().toISOString() };
    },
    send: async (event) => {
      if (!state.ended) await pilot.signal('flightEvent', event);
    },
    onRefused: () => {
      state.ended = true;
    },
    onSettled: () => {
      flight.changed = true;
    },
  });
}

async function runLoop(flight: Flight, pilot: SignalOutbox): Promise<FlightView> {
  const { state, stored } = flight;
  const starts = new CancellationScope({ cancellable: true });
  for (;;) {
    flight.changed = false;
    const grown = hasGrown(flight);
    if (!grown) {
      for (const action of step(stored.plan, state, new Date().toISOString(), uuid4)) perform(flight, action, starts);
    }
    setCurrentDetails(detailsOf(stored.plan, state));
    if (state.ended) starts.cancel();
    const quiet = isQuiet(flight, pilot);
    if (quiet && state.ended) return viewOf(stored.plan, state, flight.input.pilot);
    if (quiet && grown) await continueAsNew<FlightType>(flight.input, { stored, state });
    await waitForChange(flight, pilot, quiet);
  }
}

type FlightType = typeof flight;

/** Whether nothing is pending, so that the workflow can close or continue as new. */
function isQuiet(flight: Flight, pilot: SignalOutbox): boolean {
  return flight.pending === 0 && !pilot.busy && allHandlersFinished();
}

async function waitForChange(flight: Flight, pilot: SignalOutbox, quiet: boolean): Promise<void> {
  const { state, stored } = flight;
  const due = (): boolean => flight.changed || (!quiet && isQuiet(flight, pilot));
  const again = msUntilNextAsk(stored.plan, state, Date.now());
  if (again === undefined) await condition(due);
  else await condition(due, again);
}

function hasGrown({ state, input }: Flight): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return (
    state.messages >= (input.continue_after_signals ?? MESSAGES_PER_RUN) ||
    historyLength >= EVENTS_PER_RUN ||
    continueAsNewSuggested
  );
}
