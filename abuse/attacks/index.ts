// Every attack, in the order of the table.
import type { Attack } from '../attack.ts';
import { ACCOUNTS } from './accounts.ts';
import { ENVIRONMENT } from './environment.ts';
import { LIMITS } from './limits.ts';
import { OWNER_FILES } from './owner-files.ts';
import { REFERENCES } from './references.ts';
import { REPOSITORIES } from './repositories.ts';
import { RUNNERS } from './runners.ts';
import { SHARING } from './sharing.ts';
import { TEMPORAL } from './temporal.ts';

export const ATTACKS: readonly Attack[] = [
  ...ACCOUNTS,
  ...OWNER_FILES,
  ...ENVIRONMENT,
  ...TEMPORAL,
  ...REFERENCES,
  ...REPOSITORIES,
  ...SHARING,
  ...LIMITS,
  // Its runners are killed.
  ...RUNNERS,
];
