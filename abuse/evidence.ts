// What shows that an attacker got something.
import { MurmurError, type ErrorCode } from '../contract/wire/errors.ts';
import type { HostileAgent } from './hostile.ts';
import { CANARIES } from './owner.ts';

/** Runs a script as the agent. Throws when it did not come to its end: what it did not print would mean nothing. */
export async function triedBy(agent: HostileAgent, script: string): Promise<string> {
  const shown = await agent.shell(`${script}\nprintf '\\ntried\\n'`);
  if (/^tried$/m.test(shown)) return shown;
  throw new Error(`the attack did not come to its end: ${shown.slice(-500)}`);
}

/** Names of the canaries in a text. */
export function canariesIn(text: string): readonly string[] {
  return Object.entries(CANARIES)
    .filter(([, canary]) => text.includes(canary))
    .map(([name]) => `canary: ${name}`);
}

/** Lines with this beginning, each once. */
export function linesWith(text: string, beginning: string): readonly string[] {
  return [...new Set(text.split('\n').filter((line) => line.startsWith(beginning)))];
}

/** The number that a text tells. Throws when it tells none: what the agent did is not known then. */
export function numberIn(text: string, pattern: RegExp): number {
  const number = pattern.exec(text)?.[1];
  if (number === undefined) throw new Error(`the attack told nothing: ${text.slice(-500)}`);
  return Number(number);
}

/** Whether a call was refused by Murmur. Throws any other error: then it was not tried. */
export function isRefusal(error: unknown): true {
  if (error instanceof MurmurError && REFUSALS.includes(error.code)) return true;
  throw error;
}

/** What an attacker is told who may not. A part that cannot be reached, or a defect, refuses nothing. */
const REFUSALS: readonly ErrorCode[] = [
  'INVALID_ARGUMENT',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'RESOURCE_EXHAUSTED',
];

/**
 * The names of those that were accepted. Refusals are what the attacks hope not to get; throws what is no refusal, as the
 * call was not tried then.
 */
export async function accepted(
  attempts: readonly { readonly name: string; readonly call: () => Promise<unknown> }[],
): Promise<readonly string[]> {
  const got: string[] = [];
  for (const { name, call } of attempts) {
    const isAccepted = await call().then(
      () => true,
      (error: unknown) => !isRefusal(error),
    );
    if (isAccepted) got.push(name);
  }
  return got;
}
