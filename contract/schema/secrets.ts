// Spawn-time secrets: values that only this agent gets, as environment variables.
import { z } from 'zod';
import { secretNameProblem } from '../wire/secret-names.ts';

/** Linux takes at most 128 KiB in one environment string, name included. */
const VALUE_LIMIT = 100_000;
const COUNT_LIMIT = 64;

/** Name to value. No error, log or Temporal history contains a value. */
export const spawnSecrets = z
  .record(z.string(), z.string())
  .superRefine((values, context) => {
    const names = Object.keys(values);
    for (const [name, value] of Object.entries(values)) {
      const problem = secretNameProblem(name, names) ?? valueProblem(name, value);
      if (problem !== undefined) context.addIssue(problem);
    }
    if (names.length > COUNT_LIMIT) context.addIssue(`at most ${String(COUNT_LIMIT)} secrets`);
  })
  .default({});

function valueProblem(name: string, value: string): string | undefined {
  if (value.includes('\0')) return `the value of secret ${name} holds a NUL character`;
  if (value.length > VALUE_LIMIT) return `the value of secret ${name} is longer than ${String(VALUE_LIMIT)} characters`;
  return undefined;
}
