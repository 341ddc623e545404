// Decodes payloads inside the workflow sandbox. Signals sent by hand may hold anything; a payload that cannot be decoded
// must not fail the workflow task, as that task would be repeated for ever and the agent be dead.
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload, PayloadConverter } from '@temporalio/common';

/** The default converter, but a payload that it cannot read becomes its text, or `{ unreadable: <why> }`. */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: <T>(payload: Payload): T => {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch (error) {
      return readAnyway(payload, error) as T;
    }
  },
};

/** Text that is not JSON, or in an encoding of its own, is a message in plain words. */
function readAnyway(payload: Payload, error: unknown): unknown {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(payload.data ?? new Uint8Array());
  const printable = text !== '' && !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text);
  return printable ? text : { unreadable: error instanceof Error ? error.message : 'unknown encoding' };
}
