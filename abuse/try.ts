// Runs an attack on a testbed.
import type { Attack } from './attack.ts';
import type { Testbed } from './testbed.ts';
import type { Outcome } from './report.ts';

/** The longest attack sends some hundred calls, which takes a minute on a busy machine. In milliseconds. */
const ATTACK_MS = 240_000;

/** Runs the attack. Never throws: an attack that could not be run has its error in the outcome. */
export async function tryAttack(attack: Attack, testbed: Testbed): Promise<Outcome> {
  const reason = attack.skipped?.[testbed.isolation];
  if (reason !== undefined) return { kind: 'skipped', reason };
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no end within ${String(ATTACK_MS)} ms`)), ATTACK_MS);
  try {
    return { kind: 'tried', got: await Promise.race([attack.attempt(testbed), late.promise]) };
  } catch (error) {
    return { kind: 'not tried', error: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
