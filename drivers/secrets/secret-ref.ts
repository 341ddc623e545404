// The rule for references, shared by all drivers.
import { MurmurError } from '../../contract/wire/errors.ts';

/** Throws INVALID_ARGUMENT unless the reference is 1 to 200 of `A-Za-z0-9._-`, not beginning with a dot. */
export function checkSecretRef(ref: string): void {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/.test(ref)) return;
  const message = `secret reference ${JSON.stringify(ref)} is not valid: it needs 1 to 200 of A-Z a-z 0-9 . _ -`;
  throw new MurmurError('INVALID_ARGUMENT', message);
}
