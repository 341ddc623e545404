// Parses the payloads of signals. Our own callers send complete messages; an operator in Temporal's Web UI may send
// nothing, plain text or anything else. Pure: contract/wire only.
import type { BudgetGrant, BudgetNotice, BudgetRequest } from '../contract/wire/budget.ts';
import type { ChildEvent, FlightEvent, KillOrder, Order, UploadNote } from '../contract/wire/messages.ts';
import { PHASES } from '../contract/wire/phases.ts';
import { INLINE_TEXT_LIMIT } from '../contract/wire/turns.ts';
import type { FollowUp, StoredText } from '../contract/wire/turns.ts';

/** Sender of a signal that does not name one. */
export const OPERATOR = 'operator';

/** A message, or the reason why the payload is not one. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

/** Reads a follow-up: a complete one, an object with a `text`, or plain text. */
export function readFollowUp(
  payload: unknown,
  kind: 'queue' | 'send' | 'notify',
  fallbackId: string,
  now: string,
): Reading<FollowUp> {
  if (typeof payload === 'string') return fromText(cutText(payload), {}, kind, fallbackId, now);
  if (!isObject(payload)) return { problem: payload === undefined ? 'it has no text' : 'its payload is not a message' };
  // The payload converter returns this for a payload that it cannot decode.
  if (typeof payload['unreadable'] === 'string')
    return { problem: `its payload is unreadable: ${payload['unreadable']}` };
  const text = readText(payload['text']);
  return text === undefined ? { problem: 'its payload has no text' } : fromText(text, payload, kind, fallbackId, now);
}

/**
 * Reads a request without content, such as an interrupt. The signal's name alone defines it, so any payload is valid.
 */
export function readOrder(payload: unknown, fallbackId: string): Order & { readonly reason?: string } {
  const fields = isObject(payload) ? payload : {};
  const reason = typeof payload === 'string' ? payload : fields['reason'];
  return {
    id: readId(fields['id']) ?? fallbackId,
    from: readShort(fields['from']) ?? OPERATOR,
    ...(typeof reason === 'string' && reason.trim() !== '' ? { reason: reason.trim().slice(0, 500) } : {}),
  };
}

/** Reads a kill, like `readOrder`. */
export function readKill(payload: unknown, fallbackId: string): KillOrder {
  const fields = isObject(payload) ? payload : {};
  return {
    ...readOrder(payload, fallbackId),
    ...(fields['with_parent'] === true ? { with_parent: true } : {}),
    ...(fields['leave_machine'] === true ? { leave_machine: true } : {}),
    ...(typeof fields['spawn_id'] === 'string' ? { spawn_id: fields['spawn_id'] } : {}),
  };
}

/** Reads a child's event; undefined for anything else. Only Murmur's own workflows send it. */
export function readChildEvent(payload: unknown): ChildEvent | undefined {
  if (!isObject(payload)) return undefined;
  const { id, slug, spawn_id, phase, turn, branches, cost_usd, at } = payload as Partial<ChildEvent>;
  const isWhole =
    [id, slug, spawn_id, at].every((field) => typeof field === 'string') &&
    (PHASES as readonly unknown[]).includes(phase) &&
    typeof turn === 'number' &&
    typeof cost_usd === 'number' &&
    Array.isArray(branches);
  return isWhole ? (payload as unknown as ChildEvent) : undefined;
}

/** Reads the note about a shared file; undefined for anything else. Only Murmur's own server sends it. */
export function readUpload(payload: unknown): Omit<UploadNote, keyof Order> | undefined {
  if (!isObject(payload)) return undefined;
  const { filename, url, bytes } = payload;
  if (typeof filename !== 'string' || typeof url !== 'string' || typeof bytes !== 'number') return undefined;
  // Percent-encoding makes a name of 200 characters up to nine times as long.
  return filename.length > 200 || url.length > 2_500 ? undefined : { filename, url, bytes };
}

/** Reads a flight's event; undefined for anything else. Only Murmur's own workflow sends it. */
export function readFlightEvent(payload: unknown): FlightEvent | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { id, text, at } = payload as Partial<FlightEvent>;
  if (typeof id !== 'string' || typeof text !== 'string' || typeof at !== 'string') return undefined;
  return payload as FlightEvent;
}

/** Undefined for anything else. */
export function readBudgetRequest(payload: unknown): BudgetRequest | undefined {
  const isWhole =
    has(payload, ['slug', 'spawn_id'], 'string') &&
    has(payload, ['number', 'keep_usd', 'want_usd', 'spent_usd'], 'number');
  return isWhole ? (payload as BudgetRequest) : undefined;
}

/** Undefined for anything else. */
export function readBudgetGrant(payload: unknown): BudgetGrant | undefined {
  return has(payload, ['number', 'allowance_usd'], 'number') ? (payload as BudgetGrant) : undefined;
}

/** Undefined for anything else. */
export function readBudgetNotice(payload: unknown): BudgetNotice | undefined {
  const isWhole = has(payload, ['path'], 'string') && has(payload, ['limit_usd', 'used_usd'], 'number');
  return isWhole ? (payload as BudgetNotice) : undefined;
}

function fromText(
  text: StoredText,
  fields: Readonly<Record<string, unknown>>,
  kind: 'queue' | 'send' | 'notify',
  fallbackId: string,
  now: string,
): Reading<FollowUp> {
  if (text.text.trim() === '' && text.ref === undefined) return { problem: 'its text is empty' };
  const tasks = readTasks(fields['tasks']);
  return {
    value: {
      id: readId(fields['id']) ?? fallbackId,
      kind,
      text,
      ...(tasks.length === 0 ? {} : { tasks }),
      from: readShort(fields['from']) ?? OPERATOR,
      at: typeof fields['at'] === 'string' && !Number.isNaN(Date.parse(fields['at'])) ? fields['at'] : now,
    },
  };
}

function readText(value: unknown): StoredText | undefined {
  if (typeof value === 'string') return cutText(value);
  if (!isObject(value) || typeof value['text'] !== 'string') return undefined;
  const { bytes, ref } = value;
  const isLong = typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes > 0;
  return {
    ...cutText(value['text']),
    ...(typeof ref === 'string' ? { ref } : {}),
    ...(typeof ref === 'string' && isLong ? { bytes } : {}),
  };
}

/** Our own callers send longer texts by reference. A text sent by hand is cut, to keep the carried state small. */
function cutText(text: string): StoredText {
  return { text: text.slice(0, INLINE_TEXT_LIMIT) };
}

function readTasks(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter((item): item is string => typeof item === 'string' && item.trim() !== '')
    .slice(0, 50)
    .map((item) => item.slice(0, 1_000));
}

/** Ids are stored, so their length is bounded. A prefix of one of our ids is as unique as the whole. */
function readId(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 100) : undefined;
}

function readShort(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 300) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function has(payload: unknown, fields: readonly string[], type: 'string' | 'number'): boolean {
  if (typeof payload !== 'object' || payload === null) return false;
  const values = payload as Readonly<Record<string, unknown>>;
  // NaN would corrupt every sum after it.
  return fields.every((field) => typeof values[field] === type && !Number.isNaN(values[field]));
}
