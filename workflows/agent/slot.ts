// An agent of a fan-out leaves its slot: when it first comes to rest, or at its end.
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { FanoutSignals } from '../../contract/wire/fanout/messages.ts';
import type { Messenger } from './messenger.ts';
import type { AgentState } from './state.ts';

/**
 * Starts to wait for the agent's rest; without a fan-out it does nothing. Said again after continue-as-new, which is
 * harmless; a fan-out that has ended needs to know nothing.
 */
export function startSlotKeeper(state: AgentState, { slot }: AgentSpec): Messenger {
  let released = slot === undefined;
  const rests = (): boolean => state.phase !== 'starting' && state.phase !== 'running';
  const release = async (fanout: string, payload: FanoutSignals['released']): Promise<void> => {
    await condition(rests);
    try {
      await getExternalWorkflowHandle(fanout).signal('released', payload);
    } catch {
      // It has started all its agents and ended.
    }
    released = true;
  };
  if (slot !== undefined) void release(slot.fanout, { index: slot.index });
  const isBusy = (): boolean => !released && rests();
  return {
    drain: () => condition(() => !isBusy()),
    get busy() {
      return isBusy();
    },
  };
}
