// The text that the model is given: several inputs joined, long ones fetched.
import { EVENT_TEXT_LIMIT } from '../contract/wire/events.ts';
import type { TurnInputSummary } from '../contract/wire/events.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { FollowUp, StoredText } from '../contract/wire/turns.ts';
import type { AgentPorts } from './ports.ts';

/** The text, fetched when only its head is at hand. Throws NOT_FOUND when it is not in the object store. */
export async function wholeText({ objects }: Pick<AgentPorts, 'objects'>, { text, ref }: StoredText): Promise<string> {
  if (ref === undefined) return text;
  const content = await objects.get(ref);
  if (content !== undefined) return content.toString('utf8');
  throw new MurmurError('NOT_FOUND', `the text of a message is not in the object store: ${ref}`, {
    hint: 'send the message again',
  });
}

/** One prompt for all inputs of a turn, in their order. Throws like `wholeText`. */
export async function joinedPrompt(ports: Pick<AgentPorts, 'objects'>, inputs: readonly FollowUp[]): Promise<string> {
  const texts = await Promise.all(inputs.map((input) => wholeText(ports, input.text)));
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

/** The inputs as the event log shows them. */
export function inputSummaries(inputs: readonly FollowUp[]): TurnInputSummary[] {
  return inputs.map(({ id, kind, from, text }) => ({ id, kind, from, text: text.text.slice(0, EVENT_TEXT_LIMIT) }));
}
