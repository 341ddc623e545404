// Plain messages: sends what the operation's definition says and returns its answer.
import type { FollowUpMessage, Message } from '../../contract/message.ts';
import { FOLLOW_UP_SIGNALS } from '../../contract/message.ts';
import type { FollowUp } from '../../contract/wire/turns.ts';
import { addressOf } from '../address.ts';
import { queryAgent, signalAgent, updateAgent } from '../../agents/messages.ts';
import { orderFlight } from '../../agents/flights.ts';
import { storeText } from '../../agents/texts.ts';
import type { AgentAddress } from '../../agents/names.ts';
import type { ServerParts } from '../parts.ts';
import type { Call } from '../handler.ts';

/** Fields in the input of every plain message. The operation's schema has validated the others. */
export interface AgentInput {
  readonly slug: string;
  readonly workspace?: string;
}

/** A message of any operation, to be called with that operation's input and reply. */
type AnyMessage = Message<AgentInput, unknown> & { answer(...given: readonly unknown[]): unknown };

/**
 * Sends the message and returns the answer. Throws as `addressOf`, `signalAgent`, `updateAgent` and `orderFlight` do,
 * and RESOURCE_EXHAUSTED for a follow-up when the caller has too much queued.
 */
export async function sendMessage(
  parts: ServerParts,
  to: Message<never, unknown>,
  input: AgentInput,
  call: Call,
): Promise<unknown> {
  const message = to as AnyMessage;
  const agent = addressOf(parts, call, input);
  const order = { id: call.id, from: call.from };
  if (message.update !== undefined) {
    const reply = await updateAgent(parts, agent, message.update, message.payload(order, input), call.id);
    return message.answer(reply, input);
  }
  if (message.flight !== undefined) {
    const reply = await orderFlight(parts, agent, message.flight, message.payload(order, input));
    return message.answer(reply, input);
  }
  if (message.followUp === undefined) {
    await signalAgent(parts, agent, message.signal, message.payload(order, input));
  } else {
    const followUp = await followUpOf(parts, agent, call, message, input);
    await signalAgent(parts, agent, FOLLOW_UP_SIGNALS[message.followUp], followUp);
  }
  return message.answer(input);
}

async function followUpOf(
  parts: ServerParts,
  agent: AgentAddress,
  call: Call,
  message: FollowUpMessage<AgentInput, unknown>,
  input: AgentInput,
): Promise<FollowUp> {
  const text = message.text(input);
  const tasks = message.tasks?.(input) ?? [];
  const bytes = Buffer.byteLength(text);
  const listed = tasks.reduce((sum, task) => sum + Buffer.byteLength(task), 0);
  await parts.allowances.queued.take(agent, call, bytes + listed, () => queryAgent(parts, agent, 'waiting', {}));
  const stored = await storeText(parts.objects, agent.id, { kind: 'message', id: call.id }, text);
  return {
    id: call.id,
    kind: message.followUp,
    text: stored.ref === undefined ? stored : { ...stored, bytes },
    from: call.from,
    at: new Date().toISOString(),
    ...(tasks.length === 0 ? {} : { tasks }),
  };
}
