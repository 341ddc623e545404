// A pilot starts its flight, and takes it along at its end.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { getExternalWorkflowHandle, ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { WORKFLOW_TASK_TIMEOUT } from '../../contract/wire/execution.ts';
import { FLIGHT_WORKFLOW, flightIdOf } from '../../contract/wire/flight/messages.ts';
import type { FlightInput } from '../../contract/wire/flight/messages.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import type { AgentState } from './state.ts';

/** Resolves once Temporal has the flight. An agent without one does nothing. */
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
      // A policy looks at the run, and the pilot continues as new.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      staticSummary: `flight ${spec.flight.name}`.slice(0, 120),
    });
  } catch (error) {
    // The pilot's slug is used once, and so is its flight's: it can only be this very one.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Tells the flight that its pilot ends: it starts nothing more. An agent without one does nothing. */
export async function endFlight(spec: AgentSpec): Promise<void> {
  if (spec.flight === undefined) return;
  try {
    await getExternalWorkflowHandle(flightIdOf(spec.identity)).signal('pilotEnded', {
      id: `end-${spec.spawn_id}`,
      from: absolutePathOf(spec.identity),
    });
  } catch {
    // It has ended before.
  }
}

/** Whether agents of its flight may still have to be started, so that the pilot must not end by itself. */
export function awaitsFlight(state: AgentState, spec: AgentSpec): boolean {
  return spec.flight !== undefined && state.flight_over !== true;
}
