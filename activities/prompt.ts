// The prompt for the model: joins several inputs, and fetches stored texts.
import { EVENT_TEXT_LIMIT } from '../contract/wire/events.ts';
import type { TurnInputSummary } from '../contract/wire/events.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { FollowUp, StoredText } from '../contract/wire/turns.ts';
import { isOwnText } from '../agents/references.ts';
import { isContentOf } from '../agents/texts.ts';
import type { AgentPorts } from './ports.ts';

type TextPorts = Pick<AgentPorts, 'objects'>;

/**
 * Returns the whole text, fetched if it is stored. Throws PERMISSION_DENIED for a reference that is not a text of the
 * agent and for a text that was changed in the store, and NOT_FOUND if it is missing.
 */
export async function wholeText(ports: TextPorts, agentId: string, text: StoredText): Promise<string> {
  const { ref } = text;
  if (ref === undefined || isOwnText(agentId, ref)) return await readText(ports, text);
  throw new MurmurError('PERMISSION_DENIED', `the text ${JSON.stringify(ref)} is not one of this agent's`, {
    hint: 'send the message again, with `murmur`',
  });
}

/** Like `wholeText`, for a reference that was checked already. */
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
 * Joins all inputs of a turn into one prompt, in order. An input whose text is not the agent's own is replaced by a
 * note. Throws NOT_FOUND if a stored text is missing.
 */
export async function joinedPrompt(ports: TextPorts, agentId: string, inputs: readonly FollowUp[]): Promise<string> {
  const texts = await Promise.all(inputs.map((input) => readableText(ports, agentId, input)));
  const messages = inputs.filter((input) => input.kind !== 'system').length;
  let number = 0;
  const parts = inputs.map(({ kind, from }, index) => {
    const text = texts[index] ?? '';
    if (kind === 'system' || messages === 1) return text;
    // Without a mark the model treats several requests as one and answers only part of them.
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
