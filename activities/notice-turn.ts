// A notice for a running turn: an activity of its own, as neither a heartbeat nor a report of usage may come for minutes.
import type { NoticeTurnInput } from '../contract/wire/activities.ts';
import { connect } from './machine.ts';
import type { AgentPorts } from './ports.ts';

/**
 * `noticeTurn`: no runner is started for it. Where none answers no turn runs, and what the turn was not told is told with
 * the next one. Fails with MachineLost when the machine is gone.
 */
export async function noticeTurn(ports: AgentPorts, { spec, turn_id, notice }: NoticeTurnInput): Promise<void> {
  await using machine = await connect(ports, spec);
  const runner = await ports.runners.find(machine);
  await runner?.notice({ turn_id, notice });
}
