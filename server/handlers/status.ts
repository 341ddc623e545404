// The state of an agent, and of a pilot's flight.
import { isTerminal } from '../../contract/wire/phases.ts';
import { addressOf } from '../address.ts';
import { readStatus } from '../../agents/status.ts';
import type { Handler } from '../handler.ts';
import { flightOf } from '../../agents/flights.ts';

export const status: Handler<'status'> = async (parts, input, call) => {
  const state = await readStatus(parts, addressOf(parts, call, input), input.timeline, input.children);
  const { open } = parts.settings.temporal;
  const known = { ...state, ...(open === undefined ? {} : { temporal_open: open }) };
  if (isTerminal(state.phase)) return known;
  const { uploads_mb, messages_per_second, queued_mb } = parts.settings.agentLimits;
  const machine = state.vm === undefined ? {} : await parts.machineLimits.read(state.vm);
  return { ...known, limits: { ...machine, uploads_mb, messages_per_second, queued_mb } };
};

export const flightStatus: Handler<'flight_status'> = async (parts, input, call) =>
  await flightOf(parts, addressOf(parts, call, input));
