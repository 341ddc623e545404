// Reads single values of an environment. Callers pass the environment; entry files pass process.env.
import { MurmurError } from '../contract/wire/errors.ts';

/** `process.env`, read-only. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value, or undefined when it is unset or empty: `FOO= murmur …` is the usual way to unset one. */
export function textOf(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}

/** A port from 0 (any free one) to 65535. Throws INVALID_ARGUMENT that quotes the value. */
export function portOf(env: Environment, name: string): number | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new MurmurError('INVALID_ARGUMENT', `${name} is ${JSON.stringify(text)}: it needs a port from 0 to 65535`, {
    hint: `correct or unset ${name}`,
  });
}

/** A whole number from 1. Throws INVALID_ARGUMENT that quotes the value. */
export function countOf(env: Environment, name: string): number | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new MurmurError('INVALID_ARGUMENT', `${name} is ${JSON.stringify(text)}: it needs a whole number from 1`, {
    hint: `correct or unset ${name}`,
  });
}

/** One of the choices. Throws INVALID_ARGUMENT that quotes the value and names the choices. */
export function choiceOf<Choice extends string>(
  env: Environment,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new MurmurError('INVALID_ARGUMENT', `${name} is ${JSON.stringify(text)}: it needs ${choices.join(', ')}`, {
    hint: `correct or unset ${name}`,
  });
}
