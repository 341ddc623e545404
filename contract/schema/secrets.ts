// Spawn-time secrets: values that only this agent gets, as environment variables.
import { z } from 'zod';

/** Linux takes at most 128 KiB in one environment string, name included. */
const VALUE_LIMIT = 100_000;
const COUNT_LIMIT = 64;
/** Variables that decide which programs run or where files lie; the runner sets them. */
const RESERVED = /^(?:MURMUR_.*|PATH|HOME|LD_.*|DYLD_.*|NODE_OPTIONS)$/;

/** Name to value. Values never stand in an error, a log or Temporal's history. */
export const spawnSecrets = z
  .record(z.string(), z.string())
  .superRefine((values, context) => {
    for (const [name, value] of Object.entries(values)) {
      const problem = secretProblem(name, value);
      if (problem !== undefined) context.addIssue(problem);
    }
    if (Object.keys(values).length > COUNT_LIMIT) context.addIssue(`at most ${String(COUNT_LIMIT)} secrets`);
  })
  .default({});

function secretProblem(name: string, value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) {
    return `secret name ${JSON.stringify(name.slice(0, 80))} is not valid: it needs letters, digits and "_"`;
  }
  if (RESERVED.test(name)) return `secret name ${JSON.stringify(name)} is reserved`;
  if (value.includes('\0')) return `the value of secret ${name} holds a NUL character`;
  if (value.length > VALUE_LIMIT) return `the value of secret ${name} is longer than ${String(VALUE_LIMIT)} characters`;
  return undefined;
}
