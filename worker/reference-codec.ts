// Reads inputs of activities that name their agent by a reference. Workers of earlier builds lack it.
import type { Payload, PayloadCodec } from '@temporalio/common';
import { REFERENCE_ENCODING } from '../contract/wire/activities.ts';

const JSON_ENCODING = new TextEncoder().encode('json/plain');

/** Gives payloads with `REFERENCE_ENCODING` to the default converter as JSON. All others stay as they are. */
export const referenceCodec: PayloadCodec = {
  encode: async (payloads) => await Promise.resolve(payloads),
  decode: async (payloads) => await Promise.resolve(payloads.map(asJson)),
};

function asJson(payload: Payload): Payload {
  const { encoding } = payload.metadata ?? {};
  const isReference = encoding != null && new TextDecoder().decode(encoding) === REFERENCE_ENCODING;
  return isReference ? { ...payload, metadata: { ...payload.metadata, encoding: JSON_ENCODING } } : payload;
}
