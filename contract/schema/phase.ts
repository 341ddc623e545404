// Phases in inputs and outputs.
import { z } from 'zod';
import { parsePhase, PHASES } from '../wire/phases.ts';
import { quoteValue } from './quote.ts';
import { OTHER_SPELLINGS } from './spellings.ts';

/** A phase as surfaces print it. */
export const phaseName = z.enum(PHASES).describe('Phase of the agent, in lower case.');

/** A phase in any accepted spelling: `task-complete`, `task_complete`, `PHASE_TASK_COMPLETE`, `killed`. */
export const phaseInput = z
  .preprocess(
    (value) => (typeof value === 'string' ? (parsePhase(value) ?? value) : value),
    z.enum(PHASES, { error: (issue) => `unknown phase ${quoteValue(issue.input)}` }),
  )
  .meta(OTHER_SPELLINGS);
