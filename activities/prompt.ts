// The text that the model is given: several inputs joined, long ones fetched.
import { EVENT_TEXT_LIMIT } from '../contract/wire/events.ts';
import type { TurnInputSummary } from '../contract/wire/events.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { FollowUp, StoredText } from '../contract/wire/turns.ts';
import { isOwnText } from '../agents/references.ts';
import { isContentOf } from '../agents/texts.ts';
import type { AgentPorts } from './ports.ts';

type TextPorts = Pick<AgentPorts, 'objects'>;

/**
 * The text, fetched when only its head is at hand. Throws PERMISSION_DENIED for a reference to anything but a text of the
 * agent and for a text that is not as it was stored, NOT_FOUND when it is not in the object store.
 */
export async function wholeText(ports: TextPorts, agentId: string, text: StoredText): Promise<string> {
  const { ref } = text;
  if (ref === undefined || isOwnText(agentId, ref)) return await readText(ports, text);
  throw new MurmurError('PERMISSION_DENIED', `the text ${JSON.stringify(ref)} is not one of this agent's`, {
    hint: 'send the message again, with `murmur`',
  });
}

/** As `wholeText`, for a reference that has been checked. */
export async function readText({ objects }: TextPorts, { text, ref }: StoredText): Promise<string> {
  if (ref === undefined) return text;
  const content = await objects.get(ref);
  if (content !== undefined && isContentOf(ref, content)) return content.toString('utf8');
  if (content !== undefined) {
    throw new MurmurError(
      'PERMISSION_DENIED',
      `the text ${JSON.stringify(ref)} is not what was stored under that name`,
      {
        hint: 'send the message again, with `murmur`',
      },
    );
  }
  throw new MurmurError('NOT_FOUND', `the text of a message is not in the object store: ${ref}`, {
    hint: 'send the message again',
  });
}

/**
 * One prompt for all inputs of a turn, in their order. An input whose text is not the agent's is replaced by
 * a note that says so. Throws NOT_FOUND for a text that is not in the object store.
 */
export async function joinedPrompt(ports: TextPorts, agentId: string, inputs: readonly FollowUp[]): Promise<string> {
  const texts = await Promise.all(inputs.map((input) => readableText(ports, agentId, input)));
  const messages = inputs.filter((input) => input.kind !== 'system').length;
  let number = 0;
  const parts = inputs.map(({ kind, from }, index) => {
    const text = texts[index] ?? '';
    if (kind === 'system' || messages === 1) return text;
    // Without a mark the model takes several requests for one, and answers only a part.
    number += 1;
    return `Message ${number.toString()} of ${messages.toString()}, from ${from}:\n${text}`;
  });
  return parts.join('\n\n');
}

async function readableText(ports: TextPorts, agentId: string, { text, from }: FollowUp): Promise<string> {
  try {
    return await wholeText(ports, agentId, text);
  } catch (error) {
    if (!(error instanceof MurmurError) || error.code !== 'PERMISSION_DENIED') throw error;
    return `A message that names ${from} as its sender could not be read: ${error.message}.`;
  }
}

/** The inputs as the event log shows them. */
export function inputSummaries(inputs: readonly FollowUp[]): TurnInputSummary[] {
  return inputs.map(({ id, kind, from, text }) => ({ id, kind, from, text: text.text.slice(0, EVENT_TEXT_LIMIT) }));
}
