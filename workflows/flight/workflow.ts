// The workflow of one flight: wires the pure graph to signals, timers and activities. It lives as long as its pilot, so
// that what failed can be run again. Nothing is awaited between the last look at the state and return or continue-as-new.
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
import { detailsOf } from './details.ts';
import { perform } from './perform.ts';
import type { Flight } from './perform.ts';
import { tellPilot } from './pilot-messages.ts';
import { initialState } from './state.ts';
import type { FlightState } from './state.ts';
import { nextAsk, step } from './step.ts';
import { viewOf } from './view.ts';
import { registerHandlers } from './handlers.ts';
import type { FlightSlot } from './handlers.ts';

/** Signals and updates in one run: each costs some events of the 51,200 that a history may have. */
const MESSAGES_PER_RUN = 1_000;
/** Events of any kind: a replay of more takes seconds. */
const EVENTS_PER_RUN = 5_000;

/** What one run hands to the next. */
export interface CarriedFlight {
  readonly stored: StoredFlight;
  readonly state: FlightState;
}

/**
 * @param input whose flight it is
 * @param carried what the run before has handed over, when the workflow continues as new
 */
export async function flight(input: FlightInput, carried?: CarriedFlight): Promise<FlightView> {
  // What has come with the start is handed over as soon as there is a handler.
  const slot: FlightSlot = { flight: carried === undefined ? undefined : begin(input, carried), ended: false };
  registerHandlers(slot, input);
  // Cancel in Temporal's Web UI ends the flight; its agents are the pilot's and go on.
  void CancellationScope.current().cancelRequested.catch(() => {
    if (slot.flight === undefined) slot.ended = true;
    else Object.assign(slot.flight.state, { ended: true });
  });
  return await CancellationScope.nonCancellable(async () => {
    slot.flight ??= begin(input, await load(input));
    if (slot.ended) slot.flight.state.ended = true;
    return await fly(slot.flight, startPilotOutbox(slot.flight));
  });
}

function begin(input: FlightInput, { stored, state }: CarriedFlight): Flight {
  return { input, stored, state: { ...state, messages: 0 }, pending: 0, changed: true };
}

/** Reads the plan. One that is gone is a flight without agents, and the pilot hears why. */
async function load({ pilot }: FlightInput): Promise<CarriedFlight> {
  try {
    const stored = await readFlight({ key: pilot.flight?.key ?? '' });
    return { stored, state: initialState(stored.plan) };
  } catch (error) {
    const problem = activityProblem(error);
    if (problem === undefined) throw error;
    const plan = { name: pilot.flight?.name ?? '', notes: '', settings: {}, nodes: [] };
    const state = initialState(plan);
    tellPilot(state, `[flight] The flight cannot begin: ${problem.message}`, { last: true });
    return { stored: { plan, tree_limit: 0 }, state: { ...state, finished_at: new Date().toISOString() } };
  }
}

/** Messages to the pilot. One that cannot be reached has ended, and the flight with it. */
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

async function fly(flight: Flight, pilot: SignalOutbox): Promise<FlightView> {
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
    await waitForNews(flight, pilot, quiet);
  }
}

type FlightType = typeof flight;

/** Whether nothing is under way: the workflow can close or continue as new. */
function isQuiet(flight: Flight, pilot: SignalOutbox): boolean {
  return flight.pending === 0 && !pilot.busy && allHandlersFinished();
}

async function waitForNews(flight: Flight, pilot: SignalOutbox, quiet: boolean): Promise<void> {
  const { state, stored } = flight;
  const due = (): boolean => flight.changed || (!quiet && isQuiet(flight, pilot));
  const again = nextAsk(stored.plan, state, Date.now());
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
