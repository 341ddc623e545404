// What shows that an attacker got something.
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

/** The names of those that were accepted. Refusals are what the attacks hope not to get. */
export async function accepted(
  attempts: readonly { readonly name: string; readonly call: () => Promise<unknown> }[],
): Promise<readonly string[]> {
  const got: string[] = [];
  for (const { name, call } of attempts) {
    const isAccepted = await call().then(
      () => true,
      () => false,
    );
    if (isAccepted) got.push(name);
  }
  return got;
}
