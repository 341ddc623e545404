// Operations on the queue that the workflow must answer.
import { addressOf } from '../address.ts';
import { updateAgent } from '../../agents/messages.ts';
import type { Handler } from './handler.ts';

export const clearQueue: Handler<'clear_queue'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  return await updateAgent(parts, agent, 'clearQueue', { id: call.id, from: call.from }, call.id);
};

export const queueStrategy: Handler<'queue_strategy'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  const order = { id: call.id, from: call.from, strategy: input.strategy };
  const { strategy } = await updateAgent(parts, agent, 'setStrategy', order, call.id);
  return { slug: input.slug, strategy };
};
