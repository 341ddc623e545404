// Delivers a notice to a running turn. It is a separate activity, because the turn's next heartbeat or usage report may
// be minutes away.
import type { NoticeTurnInput } from '../contract/wire/activities.ts';
import type { Admitted } from './admission.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { connect } from './machine.ts';
import type { AgentPorts } from './ports.ts';

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
