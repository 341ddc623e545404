// Long texts go to the object store; Temporal's history gets their head and a reference.
import { createHash } from 'node:crypto';
import { INLINE_TEXT_LIMIT } from '../contract/wire/turns.ts';
import type { StoredText } from '../contract/wire/turns.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';

/**
 * Whose text it is: a message's by its id, a prompt's or an appended system prompt's by the spawn, a follow-up's of a flight
 * by its name. Callers choose ids, so the kind stands before them, and ids have no dots.
 */
export interface TextName {
  readonly kind: 'message' | 'prompt' | 'system' | 'flight';
  readonly id: string;
}

/**
 * The text as it may travel through Temporal. Its key holds the digest of its content, so that a reference stands for one
 * text and nothing that is stored later takes its place: storing the same again changes nothing, and another text under
 * the same name lies beside it.
 */
export async function storeText(
  objects: ObjectStore,
  agentId: string,
  name: TextName,
  text: string,
): Promise<StoredText> {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= INLINE_TEXT_LIMIT) return { text: bytes.toString('utf8') };
  const ref = textKey(agentId, name, digestOf(bytes));
  await objects.create(ref, bytes);
  return { text: headOf(bytes), ref };
}

/** Removes a text that nobody will read. */
export async function dropText(objects: ObjectStore, text: StoredText | undefined): Promise<void> {
  if (text?.ref !== undefined) await objects.delete(text.ref);
}

/** Whether the content is what was stored under the key. Earlier builds wrote keys without a digest: those say nothing. */
export function isContentOf(ref: string, content: Buffer): boolean {
  const [, digest] = /\.([0-9a-f]{64})\.txt$/.exec(ref) ?? [];
  return digest === undefined || digest === digestOf(content);
}

/** Object store keys of the agent's texts begin so; one segment follows. */
export function textsPrefix(agentId: string): string {
  return `agents/${agentId}/texts/`;
}

/** The segment without the digest, which follows it. */
export function textNameStart({ kind, id }: TextName): string {
  return `${kind}.${id}.`;
}

function textKey(agentId: string, name: TextName, digest: string): string {
  return `${textsPrefix(agentId)}${textNameStart(name)}${digest}.txt`;
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** As many whole characters as fit. */
function headOf(bytes: Buffer): string {
  // A decoder that is not told of the end keeps back the bytes of a cut character.
  return new TextDecoder().decode(bytes.subarray(0, INLINE_TEXT_LIMIT), { stream: true });
}
