// What a flight is at, which is named by its pilot.
import { addressOf } from '../agents/address.ts';
import { flightOf } from '../flights/calls.ts';
import type { Handler } from './handler.ts';

export const flightStatus: Handler<'flight_status'> = async (parts, input, call) =>
  await flightOf(parts, addressOf(parts, call, input));
