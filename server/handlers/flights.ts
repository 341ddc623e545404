// Operations on a flight, which is named by its pilot.
import { addressOf } from '../address.ts';
import { flightOf, orderFlight } from '../../agents/flights.ts';
import type { Handler } from './handler.ts';

export const flightStatus: Handler<'flight_status'> = async (parts, input, call) =>
  await flightOf(parts, addressOf(parts, call, input));

export const flightApprove: Handler<'flight_approve'> = async (parts, input, call) => {
  const { node } = input;
  const order = { id: call.id, from: call.from, node };
  return { node, ...(await orderFlight(parts, addressOf(parts, call, input), 'approve', order)) };
};

export const flightRerun: Handler<'flight_rerun'> = async (parts, input, call) => {
  const order = { id: call.id, from: call.from, node: input.node };
  return await orderFlight(parts, addressOf(parts, call, input), 'rerun', order);
};

export const flightItems: Handler<'flight_items'> = async (parts, input, call) => {
  const { node, items } = input;
  const order = { id: call.id, from: call.from, node, items };
  return { node, ...(await orderFlight(parts, addressOf(parts, call, input), 'items', order)) };
};
