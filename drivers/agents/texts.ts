// Long texts go to the object store; Temporal's history gets their head and a reference.
import { INLINE_TEXT_LIMIT } from '../../contract/wire/turns.ts';
import type { StoredText } from '../../contract/wire/turns.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** The text as it may travel through Temporal. The name makes storing again harmless. */
export async function storeText(
  objects: ObjectStore,
  agentId: string,
  name: string,
  text: string,
): Promise<StoredText> {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= INLINE_TEXT_LIMIT) return { text: bytes.toString('utf8') };
  const ref = textKey(agentId, name);
  await objects.put(ref, bytes);
  return { text: headOf(bytes), ref };
}

/** Removes a text that nobody will read. */
export async function dropText(objects: ObjectStore, text: StoredText | undefined): Promise<void> {
  if (text?.ref !== undefined) await objects.delete(text.ref);
}

/** Object store keys of the agent's texts begin so; one segment follows. */
export function textsPrefix(agentId: string): string {
  return `agents/${agentId}/texts/`;
}

function textKey(agentId: string, name: string): string {
  return `${textsPrefix(agentId)}${name}.txt`;
}

/** As many whole characters as fit. */
function headOf(bytes: Buffer): string {
  // A decoder that is not told of the end keeps back the bytes of a cut character.
  return new TextDecoder().decode(bytes.subarray(0, INLINE_TEXT_LIMIT), { stream: true });
}
