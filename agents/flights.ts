// Queries and updates to the workflow of a flight.
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowExecutionStatusName } from '@temporalio/client';
import { MurmurError } from '../contract/wire/errors.ts';
import { FLIGHT_QUERY, flightIdOf, flightKey } from '../contract/wire/flight/messages.ts';
import type { FlightUpdates } from '../contract/wire/flight/messages.ts';
import type { FlightView } from '../contract/wire/flight/view.ts';
import { closingPhase } from './closing.ts';
import type { AgentAddress } from './names.ts';
import { describeExecution, requireAgent } from './find.ts';
import { executeUpdate, inTime, isNotFound, noWorker } from './temporal.ts';
import type { AgentPlatform } from './platform.ts';

/** A pilot starts its flight within moments of its own spawn. */
const APPEARS_MS = 3_000;
const LOOK_AGAIN_MS = 100;

/**
 * The state of the pilot's flight, even after its end. Throws NOT_FOUND for an unknown agent, FAILED_PRECONDITION for
 * an agent without a flight, and UNAVAILABLE if no worker answers.
 */
export async function flightOf(platform: AgentPlatform, pilot: AgentAddress): Promise<FlightView> {
  const handle = platform.temporal.workflow.getHandle(flightIdOf(pilot.identity));
  const status = await flightStatus(platform, pilot);
  // The result is the last state.
  if (status === 'COMPLETED') return await inTime(platform, async () => (await handle.result()) as FlightView);
  if (closingPhase(status) !== undefined) throw endedFlight(pilot);
  return await inTime(platform, () => handle.query<FlightView>(FLIGHT_QUERY), platform.timing.query);
}

/** Sends an update. Throws like `flightOf`, the flight's errors, and FAILED_PRECONDITION after its end. */
export async function orderFlight<Name extends keyof FlightUpdates>(
  platform: AgentPlatform,
  pilot: AgentAddress,
  name: Name,
  input: FlightUpdates[Name]['input'],
): Promise<FlightUpdates[Name]['output']> {
  if (closingPhase(await flightStatus(platform, pilot)) !== undefined) throw endedFlight(pilot);
  const handle = platform.temporal.workflow.getHandle(flightIdOf(pilot.identity));
  try {
    const ask = (): Promise<FlightUpdates[Name]['output']> =>
      executeUpdate(handle, name, { args: [input], updateId: input.id });
    return await inTime(platform, ask, platform.timing.update);
  } catch (error) {
    if (isNotFound(error)) throw endedFlight(pilot);
    throw error;
  }
}

/** Terminates the flight of a pilot that could not end it. */
export async function terminateFlight(platform: AgentPlatform, pilot: AgentAddress): Promise<void> {
  try {
    const handle = platform.temporal.workflow.getHandle(flightIdOf(pilot.identity));
    await inTime(platform, () => handle.terminate('its pilot has ended'));
  } catch (error) {
    // Most agents have no flight.
    if (!isNotFound(error)) throw error;
  }
}

async function flightStatus(platform: AgentPlatform, pilot: AgentAddress): Promise<WorkflowExecutionStatusName> {
  const handle = platform.temporal.workflow.getHandle(flightIdOf(pilot.identity));
  const until = Date.now() + APPEARS_MS;
  for (;;) {
    try {
      return (await inTime(platform, () => handle.describe())).status.name;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    await requireAgent(platform, pilot);
    if (!(await isStarting(platform, pilot))) {
      throw new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(pilot.path)} pilots no flight`, {
        hint: 'name the pilot: the agent that `murmur spawn --flight` created',
        details: { slug: pilot.slug, path: pilot.path },
      });
    }
    if (Date.now() > until) throw noWorker(undefined);
    // Temporal has no notification for the start of a workflow, so it is polled.
    await pause(LOOK_AGAIN_MS);
  }
}

/** Whether a living agent was spawned with a plan, so that its flight will start. */
async function isStarting(platform: AgentPlatform, pilot: AgentAddress): Promise<boolean> {
  const execution = await describeExecution(platform, pilot);
  if (execution?.closed !== false || execution.memo.spawn_id === undefined) return false;
  return (await platform.objects.get(flightKey(pilot.id, execution.memo.spawn_id))) !== undefined;
}

function endedFlight(pilot: AgentAddress): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', `the flight of ${JSON.stringify(pilot.path)} has ended`, {
    hint: 'spawn it again under another slug',
    details: { slug: pilot.slug, path: pilot.path },
  });
}
