// All attacks, in the order of the table.
import type { Attack } from '../attack.ts';
import { ACCOUNTS } from './accounts.ts';
import { API_PORT } from './api-port.ts';
import { ENVIRONMENT } from './environment.ts';
import { LIMITS } from './limits.ts';
import { OWNER_FILES } from './owner-files.ts';
import { REFERENCES } from './references.ts';
import { REPOSITORIES } from './repositories.ts';
import { RUNNER_FILES } from './runner-files.ts';
import { RUNNERS } from './runners.ts';
import { SHARING } from './sharing.ts';
import { TEMPORAL } from './temporal.ts';
import { TEXTS } from './texts.ts';

export const ATTACKS: readonly Attack[] = [
  ...ACCOUNTS,
  ...OWNER_FILES,
  ...RUNNER_FILES,
  ...ENVIRONMENT,
  ...TEMPORAL,
  ...API_PORT,
  ...REFERENCES,
  ...REPOSITORIES,
  ...SHARING,
  ...TEXTS,
  ...LIMITS,
  // Last, because it kills runners.
  ...RUNNERS,
];
