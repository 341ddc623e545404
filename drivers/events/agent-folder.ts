// Where an agent's log lies: the segments of its id as folders, so that children lie below their parent.
import { join } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';

/** A file name may have 255 bytes. */
const SEGMENT_LIMIT = 255;

/** `@` never occurs in an encoded segment, so the file's name never equals a child's folder. */
export const LOG_FILE = '@events.jsonl';

/** The folder of an agent's log. Different ids have different folders. Throws INVALID_ARGUMENT for an unusable id. */
export function agentFolder(root: string, agent: string): string {
  const segments = agent.split('/').map(encodeSegment);
  const problem = segments.some((segment) => segment === '' || segment.length > SEGMENT_LIMIT);
  if (!problem) return join(root, ...segments);
  throw new MurmurError('INVALID_ARGUMENT', `agent id ${JSON.stringify(agent)} cannot name an event log`);
}

function encodeSegment(segment: string): string {
  // A leading dot would make `.` and `..`; encodeURIComponent leaves dots alone and throws for a lone surrogate.
  return encodeURIComponent(segment.toWellFormed()).replace(/^\./, '%2E').replaceAll('*', '%2A');
}
