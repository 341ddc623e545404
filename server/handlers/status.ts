// The state of one agent.
import { addressOf } from '../agents/address.ts';
import { readStatus } from '../agents/status.ts';
import type { Handler } from './handler.ts';

export const status: Handler<'status'> = async (parts, input, call) => {
  const { open } = parts.settings.temporal;
  const known = await readStatus(parts, addressOf(parts, call, input), input.timeline, input.children);
  return { ...known, ...(open === undefined ? {} : { temporal_open: open }) };
};
