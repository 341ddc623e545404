// The limit of what an agent may cost.
import { addressOf } from '../address.ts';
import { updateAgent } from '../../agents/messages.ts';
import type { Handler } from './handler.ts';

export const budget: Handler<'budget'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  const order = { id: call.id, from: call.from, max_cost_usd: input.max_cost_usd };
  return { slug: input.slug, budget: await updateAgent(parts, agent, 'setBudget', order, call.id) };
};
