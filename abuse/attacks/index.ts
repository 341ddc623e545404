// Every attack, in the order of the table.
import type { Attack } from '../attack.ts';
import { ACCOUNTS } from './accounts.ts';
import { ENVIRONMENT } from './environment.ts';
import { LIMITS } from './limits.ts';
import { OWNER_FILES } from './owner-files.ts';
import { REFERENCES } from './references.ts';
import { REPOSITORIES } from './repositories.ts';
import { SHARING } from './sharing.ts';
import { TEMPORAL } from './temporal.ts';
import { TEXTS } from './texts.ts';

export const ATTACKS: readonly Attack[] = [
  ...ACCOUNTS,
  ...OWNER_FILES,
  ...ENVIRONMENT,
  ...TEMPORAL,
  ...REFERENCES,
  ...REPOSITORIES,
  ...SHARING,
  ...TEXTS,
  ...LIMITS,
];
