// The rule for keys, shared by all drivers: a key that one store accepts is valid in all.
import { MurmurError } from '../../contract/wire/errors.ts';

/** Longest key; a file system's own limit for a path is 4,096. */
const KEY_LIMIT = 1_000;
/** Longest segment: a file name may have 255 bytes, of which a temporary name needs some. */
const SEGMENT_LIMIT = 200;

/** Why a key is invalid; undefined for a valid key. */
export function objectKeyProblem(key: string): string | undefined {
  if (key.length > KEY_LIMIT) return `object key of ${key.length} characters is longer than ${KEY_LIMIT}`;
  const shown = JSON.stringify(key);
  for (const segment of key.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') return `object key ${shown} has a segment "${segment}"`;
    if (segment.length > SEGMENT_LIMIT) return `object key ${shown} has a segment longer than ${SEGMENT_LIMIT}`;
    if (!/^[A-Za-z0-9._-]+$/.test(segment)) return `object key ${shown} may hold A-Z a-z 0-9 . _ - and / only`;
  }
  return undefined;
}

/** Throws INVALID_ARGUMENT for an invalid key. */
export function checkObjectKey(key: string): void {
  const problem = objectKeyProblem(key);
  if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem);
}
