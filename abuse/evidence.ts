// Evidence that an attack succeeded.
import { MurmurError, type ErrorCode } from '../contract/wire/errors.ts';
import type { HostileAgent } from './hostile.ts';
import { CANARIES } from './owner.ts';

/** Runs a script as the agent. Throws if the script did not finish, because then missing output proves nothing. */
export async function triedBy(agent: HostileAgent, script: string): Promise<string> {
  const shown = await agent.shell(`${script}\nprintf '\\ntried\\n'`);
  if (/^tried$/m.test(shown)) return shown;
  throw new Error(`the attack did not finish: ${shown.slice(-500)}`);
}

/** Names of the canaries in a text. */
export function canariesIn(text: string): readonly string[] {
  return Object.entries(CANARIES)
    .filter(([, canary]) => text.includes(canary))
    .map(([name]) => `canary: ${name}`);
}

/** Lines with this prefix, without duplicates. */
export function linesWith(text: string, beginning: string): readonly string[] {
  return [...new Set(text.split('\n').filter((line) => line.startsWith(beginning)))];
}

/** The number in a text. Throws if there is none, because then the agent's actions are unknown. */
export function numberIn(text: string, pattern: RegExp): number {
  const number = pattern.exec(text)?.[1];
  if (number === undefined) throw new Error(`the attack printed no number: ${text.slice(-500)}`);
  return Number(number);
}

/** Whether Murmur refused a call. Throws other errors, because then the attack was not run. */
export function isRefusal(error: unknown): true {
  if (error instanceof MurmurError && REFUSALS.includes(error.code)) return true;
  throw error;
}

/** Codes of refusals. An unreachable part or a defect is not a refusal. */
const REFUSALS: readonly ErrorCode[] = [
  'INVALID_ARGUMENT',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'RESOURCE_EXHAUSTED',
];

/** The names of the accepted calls. Throws errors other than refusals, because then the call was not tried. */
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
