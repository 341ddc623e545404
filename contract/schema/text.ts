// Texts that people and models write.
import { z } from 'zod';
import { MODEL_LENGTH, MODEL_PATTERN, MODEL_RULE } from './names.ts';

/** Characters of a task's subject: one line on a terminal, and part of Temporal's history. */
const SUBJECT_LIMIT = 1_000;
/** Items that one call may add: they are sent in one signal, which Temporal limits to 2 MB. */
const TASKS_LIMIT = 100;

/** A text that is not blank. Only the size of the request limits it: long texts go to the object store. */
export function message(field: string): z.ZodString {
  return z
    .string({ error: (issue) => (issue.input === undefined ? `${field} required` : `${field} must be a string`) })
    .regex(/\S/, `${field} required`);
}

/** One checklist item. */
export const taskSubject = message('subject').max(
  SUBJECT_LIMIT,
  `a task's subject has at most ${String(SUBJECT_LIMIT)} characters`,
);

/** Checklist items that come with a spawn or a follow-up. */
export const taskSubjects = z
  .array(taskSubject)
  .max(TASKS_LIMIT, `at most ${String(TASKS_LIMIT)} tasks at once`)
  .default([]);

/** Name of a model. It becomes an argument of the agent program. */
export const modelName = z
  .string()
  .max(MODEL_LENGTH, `a model name has at most ${String(MODEL_LENGTH)} characters`)
  .regex(MODEL_PATTERN, MODEL_RULE);
