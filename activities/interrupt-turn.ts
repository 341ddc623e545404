// The interrupt: an activity of its own, as a cancellation would wait for the next heartbeat.
import type { InterruptTurnInput } from '../contract/wire/activities.ts';
import { reachRunner } from './machine.ts';
import type { AgentPorts } from './ports.ts';

/**
 * `interruptTurn`: leaves word for a turn that has not come yet, so a runner that has died is started to take it.
 * Fails with MachineLost when the machine is gone, and the turn with it.
 */
export async function interruptTurn(ports: AgentPorts, { spec, turn_id }: InterruptTurnInput): Promise<void> {
  await using reached = await reachRunner(ports, spec, 'reach');
  await reached.runner.interrupt({ turn_id });
}
