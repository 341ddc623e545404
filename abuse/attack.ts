// The definition of an attack. Types only.
import type { Testbed, IsolationName } from './testbed.ts';

export interface Attack {
  /** Name for `--only`. */
  readonly name: string;
  /** The attacker's goal, for the table. */
  readonly goal: string;
  /** Isolations in which docs/security.md admits that the attack succeeds, with the reason. */
  readonly admitted?: Partial<Record<IsolationName, string>>;
  /** Isolations in which the attack does not apply, with the reason. */
  readonly skipped?: Partial<Record<IsolationName, string>>;
  /** Set if it takes so long that only `npm run abuse` runs it. */
  readonly isLong?: true;
  /**
   * Runs the attack. Resolves with one line per success. Throws if it could not be run, which does not count as failed.
   */
  attempt(testbed: Testbed): Promise<readonly string[]>;
}
