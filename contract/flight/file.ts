// Name and content of a flight's file, checked the same way by all its readers.
import { MurmurError } from '../wire/errors.ts';
import { FLIGHT_BYTES } from '../wire/flight/plan.ts';

/** Folder of flights in a repository. */
export const FLIGHTS_FOLDER = '.murmur/flights';

/** Throws INVALID_ARGUMENT unless the path names a file in the folder. Does not read the disk. */
export function checkFlightPath(path: string): void {
  const problem = pathProblem(path);
  if (problem !== undefined) throw flightRefused(path, problem);
}

function pathProblem(path: string): string | undefined {
  if (path === '') return 'the path is empty';
  if (/[\p{Cc}\\:]/u.test(path) || path.length > 200) {
    return 'it has a control character, a backslash or a colon, or more than 200 characters';
  }
  if (path.startsWith('/') || path.startsWith('~')) return 'it is not relative to the folder';
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) return 'it leads out of the folder';
  return path.endsWith('.md') ? undefined : 'a flight is a file that ends in .md';
}

/** The text of the file. Throws INVALID_ARGUMENT if it is not UTF-8. */
export function flightText(path: string, content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw flightRefused(path, 'it is not UTF-8 text');
  }
}

/** INVALID_ARGUMENT for a file above the size limit. */
export function flightTooLarge(path: string, bytes?: number): MurmurError {
  const has = bytes === undefined ? 'too many bytes' : `${String(bytes)} bytes`;
  return flightRefused(path, `it has ${has}, the limit is ${String(FLIGHT_BYTES)}`);
}

/** INVALID_ARGUMENT for a file that cannot be used. */
export function flightRefused(path: string, problem: string): MurmurError {
  const shown = path.slice(0, 200);
  return new MurmurError('INVALID_ARGUMENT', `flight ${JSON.stringify(shown)} cannot be read: ${problem}`, {
    hint: `name a file of ${FLIGHTS_FOLDER}, such as deploy.md`,
    details: { field: 'flight', value: shown },
  });
}
