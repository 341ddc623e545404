// An agent that takes no messages: ended, or never there. Temporal's refusal does not tell which.
import { MurmurError } from '../contract/wire/errors.ts';
import type { Phase } from '../contract/wire/phases.ts';
import { isNotFound } from './temporal-errors.ts';
import type { AgentPlatform } from './platform.ts';
import type { AgentAddress } from './names.ts';
import { waitsForSlot } from './fanouts/waiting.ts';
import { locateAgent } from './find.ts';
import { readRecord } from './record.ts';

/** Turns Temporal's "not found" into FAILED_PRECONDITION or NOT_FOUND; other errors pass. */
export async function explainRefusal(parts: AgentPlatform, agent: AgentAddress, error: unknown): Promise<never> {
  if (!isNotFound(error)) throw error;
  const record = await readRecord(parts, agent.id);
  if (record !== undefined) throw ended(agent, record.status.phase);
  const found = await locateAgent(parts, agent);
  if (found === undefined) throw notFound(agent);
  if ('waiting' in found) throw waitsForSlot(agent);
  // One that lives has begun to do so since it was refused.
  throw found.execution.closed ? ended(agent, found.execution.phase) : starts(agent);
}

/** UNAVAILABLE, which clients ask again after. */
function starts({ path }: AgentAddress): MurmurError {
  return new MurmurError('UNAVAILABLE', `agent ${JSON.stringify(path)} has just been started`, { hint: 'try again' });
}

/** NOT_FOUND with the path that was looked for. */
export function notFound(agent: AgentAddress): MurmurError {
  const typed = agent.slug === agent.path ? '' : ` (slug ${JSON.stringify(agent.slug)})`;
  return new MurmurError('NOT_FOUND', `agent ${JSON.stringify(agent.path)} not found${typed}`, {
    details: { slug: agent.slug, path: agent.path },
  });
}

/** FAILED_PRECONDITION that says how it ended. */
export function ended(agent: AgentAddress, phase: Phase): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(agent.path)} has ended: it is ${phase}`, {
    hint: 'spawn a new agent under another slug',
    details: { slug: agent.slug, path: agent.path, phase },
  });
}

/** ALREADY_EXISTS, with what to do instead. */
export function runsAlready(agent: AgentAddress): MurmurError {
  return new MurmurError('ALREADY_EXISTS', `agent ${JSON.stringify(agent.path)} is already running`, {
    hint: `send it a follow-up with \`murmur queue add ${agent.slug}\``,
    details: { slug: agent.slug, path: agent.path },
  });
}
