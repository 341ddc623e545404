// The error for a field that an operation does not have.
import { quoteValue } from './schema/quote.ts';
import { MurmurError } from './wire/errors.ts';
import { nearestName } from './wire/nearest.ts';

/**
 * INVALID_ARGUMENT that suggests the field that was probably meant.
 * @param path where the field is
 * @param name its name there
 * @param known the names that are valid there
 */
export function unknownField(path: string, name: string, known: readonly string[]): MurmurError {
  const nearest = nearestName(name, known);
  const suggestion = nearest === undefined ? '' : `: did you mean ${quoteValue(nearest)}?`;
  return new MurmurError('INVALID_ARGUMENT', `unknown field ${quoteValue(path)}${suggestion}`, {
    hint: known.length === 0 ? 'this operation takes no fields' : `fields are ${known.join(', ')}`,
    details: { field: path, ...(nearest === undefined ? {} : { nearest }) },
  });
}
