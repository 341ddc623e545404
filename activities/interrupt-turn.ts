// Interrupts a turn. It is a separate activity, because a cancellation would wait for the next heartbeat.
import type { InterruptTurnInput } from '../contract/wire/activities.ts';
import type { Admitted } from './admission.ts';
import { reachRunner } from './machine.ts';
import type { AgentPorts } from './ports.ts';

/**
 * `interruptTurn`: also applies to a turn that has not started yet, so a runner that has died is restarted to receive
 * it. Fails with MachineLost if the machine is gone, and the turn with it.
 */
export async function interruptTurn(ports: AgentPorts, { spec, turn_id }: Admitted<InterruptTurnInput>): Promise<void> {
  await using reached = await reachRunner(ports, spec, 'reach');
  await reached.runner.interrupt({ turn_id });
}
