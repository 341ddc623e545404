// Starts a pilot's flight, and ends it together with the pilot.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { getExternalWorkflowHandle, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { reusePolicyOf, WORKFLOW_TASK_TIMEOUT } from '../../contract/wire/execution.ts';
import { FLIGHT_WORKFLOW, flightIdOf } from '../../contract/wire/flight/messages.ts';
import type { FlightInput } from '../../contract/wire/flight/messages.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import type { AgentState } from './state.ts';

/** Resolves once the flight's workflow exists. Does nothing for an agent without a flight. */
export async function startFlight(spec: AgentSpec): Promise<void> {
  if (spec.flight === undefined) return;
  const { limits } = spec;
  const input: FlightInput = {
    pilot: { ...spec, prompt: { text: '' } },
    ...(limits?.continue_after_signals === undefined ? {} : { continue_after_signals: limits.continue_after_signals }),
  };
  try {
    await startChild(FLIGHT_WORKFLOW, {
      workflowId: flightIdOf(spec.identity),
      args: [input],
      // A close policy applies to the run, and the pilot continues as new.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: reusePolicyOf(spec),
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      staticSummary: `flight ${spec.flight.name}`.slice(0, 120),
    });
  } catch (error) {
    // Within one life of the pilot, a flight of this id is the same flight.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/**
 * Signals the flight that its pilot ends, so that it starts nothing more. Does nothing for an agent without a flight.
 */
export async function endFlight(spec: AgentSpec): Promise<void> {
  if (spec.flight === undefined) return;
  try {
    await getExternalWorkflowHandle(flightIdOf(spec.identity)).signal('pilotEnded', {
      id: `end-${spec.spawn_id}`,
      from: absolutePathOf(spec.identity),
    });
  } catch {
    // The flight has ended already.
  }
}

/** Whether the flight may still start agents; the pilot must not terminate by itself until then. */
export function awaitsFlight(state: AgentState, spec: AgentSpec): boolean {
  return spec.flight !== undefined && state.flight_over !== true;
}
