// Decodes payloads inside the workflow sandbox. Signals sent by hand may hold anything; a payload that cannot be decoded
// must not fail the workflow task, as that task would be repeated for ever and the agent be dead.
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload, PayloadConverter } from '@temporalio/common';

/**
 * The default converter, but bytes, and a payload that it cannot read, become their text, or `{ unreadable: <why> }`.
 * Murmur itself sends JSON only.
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

/** Text that is not JSON, or in an encoding of its own, is a message in plain words. */
function readText(payload: Payload, why: string): unknown {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(payload.data ?? new Uint8Array());
  const isText = text !== '' && !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text);
  return isText ? text : { unreadable: why };
}
