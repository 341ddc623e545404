// On an agent's machine the slug may be left out: the agent itself is meant.
import type { OperationDescription } from '../../contract/describe.ts';
import type { MurmurClient } from '../../client/index.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { slugProblem } from '../../contract/wire/identity.ts';
import type { Input } from '../derive/input.ts';
import type { Grammar } from '../parse/grammar.ts';

/** Their slug is always typed: they make new agents, or are for somebody else. */
const ALWAYS_NAMED = ['spawn', 'each', 'queue_add', 'notify'];

/** The grammar for an agent, in which the slug is optional. */
export function selfGrammar(operation: OperationDescription, grammar: Grammar): Grammar {
  if (ALWAYS_NAMED.includes(operation.name)) return grammar;
  return { ...grammar, args: grammar.args.map((arg) => (arg.name === 'slug' ? { ...arg, required: false } : arg)) };
}

/**
 * Decides what the first word of a text is: `session send kid Stop` is for the child, `session send Stop it` is a message
 * to oneself. It is a slug when it is an absolute path or names an agent that exists.
 */
export async function slugOrText(
  operation: OperationDescription,
  input: Input,
  client: MurmurClient,
  signal: AbortSignal,
): Promise<Input> {
  const { args, rest } = operation.cli;
  const { slug, ...others } = input;
  if (rest === undefined || typeof slug !== 'string' || !args.includes('slug')) return input;
  if (ALWAYS_NAMED.includes(operation.name)) return input;
  if (slug.startsWith('/') || (isSlug(slug) && (await exists(client, slug, signal)))) return input;
  return { ...others, [rest]: [slug, others[rest]].join(' ') };
}

/** A child, or one beneath it. */
function isSlug(word: string): boolean {
  return word.split('/').every((part) => slugProblem(part) === undefined);
}

async function exists(client: MurmurClient, slug: string, signal: AbortSignal): Promise<boolean> {
  try {
    await client.call('status', { slug }, { signal });
    return true;
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}
