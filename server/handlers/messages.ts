// Operations that send the agent a signal.
import type { FollowUp } from '../../contract/wire/turns.ts';
import { addressOf } from '../address.ts';
import { queryAgent, signalAgent } from '../../agents/messages.ts';
import { storeText } from '../../agents/texts.ts';
import type { AgentAddress } from '../../agents/names.ts';
import type { ServerParts } from '../parts.ts';
import type { Call, Handler } from './handler.ts';

export const queueAdd: Handler<'queue_add'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  const followUp = await followUpOf(parts, agent, call, 'queue', input.description, input.tasks);
  await signalAgent(parts, agent, 'queueAdd', {
    ...followUp,
    ...(input.tasks.length === 0 ? {} : { tasks: input.tasks }),
  });
  return { slug: input.slug, message: `follow-up sent to ${input.slug}` };
};

export const sessionSend: Handler<'session_send'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  await signalAgent(parts, agent, 'sessionSend', await followUpOf(parts, agent, call, 'send', input.message));
  return { slug: input.slug, message: 'sent' };
};

export const notify: Handler<'notify'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  await signalAgent(parts, agent, 'notify', await followUpOf(parts, agent, call, 'notify', input.message));
  return { slug: input.slug, message: `notified ${input.slug === '' ? 'self' : input.slug}` };
};

export const interrupt: Handler<'interrupt'> = async (parts, input, call) => {
  await signalAgent(parts, addressOf(parts, call, input), 'interrupt', { id: call.id, from: call.from });
  return { slug: input.slug, message: `interrupt sent to ${input.slug}` };
};

export const sessionStop: Handler<'session_stop'> = async (parts, input, call) => {
  await signalAgent(parts, addressOf(parts, call, input), 'stop', { id: call.id, from: call.from });
  return { slug: input.slug, message: 'sent' };
};

/** Throws RESOURCE_EXHAUSTED when too much of the caller's waits already. */
async function followUpOf(
  parts: ServerParts,
  agent: AgentAddress,
  call: Call,
  kind: 'queue' | 'send' | 'notify',
  text: string,
  tasks: readonly string[] = [],
): Promise<FollowUp> {
  const bytes = Buffer.byteLength(text);
  const listed = tasks.reduce((sum, task) => sum + Buffer.byteLength(task), 0);
  await parts.allowances.queued.take(agent, call, bytes + listed, () => queryAgent(parts, agent, 'waiting', {}));
  const stored = await storeText(parts.objects, agent.id, { kind: 'message', id: call.id }, text);
  return {
    id: call.id,
    kind,
    text: stored.ref === undefined ? stored : { ...stored, bytes },
    from: call.from,
    at: new Date().toISOString(),
  };
}
