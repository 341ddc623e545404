// Marks inputs of activities that name their agent by a reference, for the payload converter.
import type { OfAgent } from '../contract/wire/agent.ts';

/** Found in the registry: the payload converter may have another instance of this module. */
const MARK = Symbol.for('murmur.reference-input');

/** The input, encoded so that only a worker that reads references takes it. One with the whole spec stays as it is. */
export function referenceInput<Input extends Pick<OfAgent, 'session'>>(input: Input): Input {
  return input.session === undefined ? input : { ...input, [MARK]: true };
}

export function isReferenceInput(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, MARK);
}
