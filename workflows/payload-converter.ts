// Converts payloads inside the workflow sandbox. Signals sent by hand may hold anything. A payload that cannot be
// decoded must not fail the workflow task: Temporal would retry the task forever and the agent would be stuck.
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload, PayloadConverter } from '@temporalio/common';
import { REFERENCE_ENCODING } from '../contract/wire/activities.ts';
import { isReferenceInput } from './reference-input.ts';

const REFERENCE = new TextEncoder().encode(REFERENCE_ENCODING);

/**
 * The default converter, except for bytes and payloads that it cannot decode: these become their text, or `{
 * unreadable: <why> }`. Murmur itself sends JSON only. Inputs with a reference have an encoding of their own.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => {
    const payload = defaultPayloadConverter.toPayload(value);
    return isReferenceInput(value) ? { ...payload, metadata: { encoding: REFERENCE } } : payload;
  },
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
