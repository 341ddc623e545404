// What an attack is. Types only.
import type { Testbed, IsolationName } from './testbed.ts';

export interface Attack {
  /** For `--only`. */
  readonly name: string;
  /** What the attacker wants, for the table. */
  readonly goal: string;
  /** Where docs/security.md says that the attacker gets it, and why. */
  readonly admitted?: Partial<Record<IsolationName, string>>;
  /** Where there is nothing to try, and why. */
  readonly skipped?: Partial<Record<IsolationName, string>>;
  /** Takes so long that only `npm run abuse` tries it. */
  readonly isLong?: true;
  /** Resolves with what the attacker got, a line each. Throws when it could not be tried, which is no success. */
  attempt(testbed: Testbed): Promise<readonly string[]>;
}
