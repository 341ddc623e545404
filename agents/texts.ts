// Long texts are stored in the object store. Temporal's history gets their start and a reference.
import { createHash } from 'node:crypto';
import { INLINE_TEXT_LIMIT } from '../contract/wire/turns.ts';
import type { StoredText } from '../contract/wire/turns.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';

/**
 * Name of a text: a message by its id, a prompt or an appended system prompt by the spawn id, a flight's text by its
 * name. Callers choose ids, so the kind precedes them. Ids contain no dots.
 */
export interface TextName {
  readonly kind: 'message' | 'prompt' | 'system' | 'flight';
  readonly id: string;
}

/**
 * Returns the text in a form for Temporal's history, and stores it if it is long. The key contains the content's
 * digest, so a reference always means the same text. A repetition has no effect; another text with the same name gets
 * another key.
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

/** Deletes a text that is no longer needed. */
export async function dropText(objects: ObjectStore, text: StoredText | undefined): Promise<void> {
  if (text?.ref !== undefined) await objects.delete(text.ref);
}

/** Whether the content has the key's digest. True for keys of earlier builds, which have no digest. */
export function isContentOf(ref: string, content: Buffer): boolean {
  const [, digest] = /\.([0-9a-f]{64})\.txt$/.exec(ref) ?? [];
  return digest === undefined || digest === digestOf(content);
}

/** Prefix of the object store keys of the agent's texts. One segment follows. */
export function textsPrefix(agentId: string): string {
  return `agents/${agentId}/texts/`;
}

/** Start of that segment, before the digest. */
export function textNameStart({ kind, id }: TextName): string {
  return `${kind}.${id}.`;
}

function textKey(agentId: string, name: TextName, digest: string): string {
  return `${textsPrefix(agentId)}${textNameStart(name)}${digest}.txt`;
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The first characters that fit into the limit. */
function headOf(bytes: Buffer): string {
  // With `stream`, the decoder drops the bytes of an incomplete last character.
  return new TextDecoder().decode(bytes.subarray(0, INLINE_TEXT_LIMIT), { stream: true });
}
