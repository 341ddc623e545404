// Tells the parent of changes of phase, in order, beside everything else that the workflow does.
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { ChildEvent } from '../../contract/wire/messages.ts';
import { parentWorkflow } from './children/children.ts';
import type { AgentState } from './state.ts';

/** The flight that the agent works for acts upon its ends; one that has ended needs to know nothing. */
async function tellFlight(flight: string, event: ChildEvent): Promise<void> {
  await getExternalWorkflowHandle(flight)
    .signal('childEvent', event)
    .catch(() => undefined);
}

export interface Messenger {
  /** Resolves once the parent has been told everything, or cannot be told. */
  drain(): Promise<void>;
  /** Whether anything is left to tell: the workflow must not close then. */
  readonly busy: boolean;
}

/**
 * Starts to send. By the parent's workflow id, so that it arrives whichever run the parent is in; a parent that has
 * ended is told nothing more. Without one it does nothing.
 */
export function startMessenger(state: AgentState, spec: AgentSpec): Messenger {
  const id = parentWorkflow(spec);
  let sending = false;
  const waiting = (): boolean => (state.to_parent?.length ?? 0) > 0;
  const isBusy = (): boolean => sending || waiting();
  const send = async (workflowId: string): Promise<void> => {
    const parent = getExternalWorkflowHandle(workflowId);
    const slug = spec.identity.path.at(-1) ?? '';
    while (state.to_parent !== undefined) {
      await condition(waiting);
      sending = true;
      const [event] = state.to_parent.splice(0, 1);
      try {
        const told: ChildEvent | undefined = event && { ...event, slug, spawn_id: spec.spawn_id };
        if (told !== undefined) await parent.signal('childEvent', told);
        if (told !== undefined && spec.for_flight !== undefined) await tellFlight(spec.for_flight, told);
      } catch {
        // It has ended: nobody is left to be told.
        state.to_parent = undefined;
      } finally {
        sending = false;
      }
    }
  };
  // It runs for as long as the workflow does, and only a defect can end it.
  if (id !== undefined) void send(id);
  return {
    drain: () => condition(() => !isBusy()),
    get busy() {
      return isBusy();
    },
  };
}

/** Several messengers as one. */
export function together(...messengers: readonly Messenger[]): Messenger {
  return {
    drain: async () => {
      for (const each of messengers) if (each.busy) await each.drain();
    },
    get busy() {
      return messengers.some((each) => each.busy);
    },
  };
}
