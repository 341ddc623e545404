// Tries attacks on one testbed.
import type { Attack } from './attack.ts';
import type { Testbed } from './testbed.ts';
import type { Outcome } from './report.ts';

/** The longest attack sends some hundred calls; on a busy machine it takes a minute. */
const ATTACK_MS = 240_000;

/** What comes of the attack. Never throws: an attack that failed by a defect of its own says so in its outcome. */
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
