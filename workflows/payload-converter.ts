// Decodes payloads inside the workflow sandbox. Signals sent by hand may hold anything. A payload that cannot be
// decoded must not fail the workflow task: Temporal would retry the task forever and the agent would be stuck.
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload, PayloadConverter } from '@temporalio/common';

/**
 * The default converter, except for bytes and payloads that it cannot decode: these become their text, or `{
 * unreadable: <why> }`. Murmur itself sends JSON only.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: <T>(payload: Payload): T => {
    try {
      const value = defaultPayloadConverter.fromPayload<T>(payload);
      return value instanceof Uint8Array ? (readText(payload, 'binary data') as T) : value;
    } catch (error) {
      return readText(payload, error instanceof Error ? error.message : 'unknown encoding') as T;
    }
  },
};

/** Treats text that is not JSON, or has an unknown encoding, as plain text. */
function readText(payload: Payload, why: string): unknown {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(payload.data ?? new Uint8Array());
  const isText = text !== '' && !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text);
  return isText ? text : { unreadable: why };
}
