// Interrupts a turn and delivers notices to it. These are separate activities, because a cancellation would wait for the
// turn's next heartbeat, and a notice for its next usage report, which may be minutes away.
import type { InterruptTurnInput, NoticeTurnInput } from '../contract/wire/activities.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { Admitted } from './admission.ts';
import { connect, reachRunner } from './machine.ts';
import type { AgentPorts } from './ports.ts';

/**
 * `interruptTurn`: also applies to a turn that has not started yet, so a runner that has died is restarted to receive
 * it. Fails with MachineLost if the machine is gone, and the turn with it.
 */
export async function interruptTurn(ports: AgentPorts, { spec, turn_id }: Admitted<InterruptTurnInput>): Promise<void> {
  await using reached = await reachRunner(ports, spec, 'reach');
  await reached.runner.interrupt({ turn_id });
}

/**
 * `noticeTurn`: never starts a runner. If none answers, no turn runs and the next turn gets the notice. Fails with
 * MachineLost if the machine is gone.
 */
export async function noticeTurn(
  ports: AgentPorts,
  { spec, turn_id, notice }: Admitted<NoticeTurnInput>,
): Promise<void> {
  await using machine = await connect(ports, spec);
  const runner = await ports.runners.find(machine);
  await runner?.notice({ turn_id, notice }).catch((error: unknown) => {
    if (!(error instanceof MurmurError) || error.code !== 'UNAVAILABLE') throw error;
  });
}
