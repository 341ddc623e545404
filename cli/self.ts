// On an agent's machine, commands default to the agent itself if the slug is omitted.
import type { OperationDescription } from '../contract/describe.ts';
import type { MurmurClient } from '../client/index.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { slugProblem } from '../contract/wire/identity.ts';
import type { Input } from './derive/input.ts';
import type { Grammar } from './parse/grammar.ts';

/** Operations that always need a slug: they create agents, or are meant for other agents. */
const ALWAYS_NAMED = ['spawn', 'each', 'queue_add', 'notify'];

/** The grammar for an agent, in which the slug is optional. */
export function selfGrammar(operation: OperationDescription, grammar: Grammar): Grammar {
  if (ALWAYS_NAMED.includes(operation.name)) return grammar;
  return { ...grammar, args: grammar.args.map((arg) => (arg.name === 'slug' ? { ...arg, required: false } : arg)) };
}

/**
 * Decides whether the first word is a slug or belongs to the text: `session send kid Stop` goes to the child, `session
 * send Stop it` to the agent itself. It is a slug if it is an absolute path or names an existing agent.
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

/** Whether the word has the form of a relative slug. */
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
