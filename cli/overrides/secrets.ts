// `-e`: reads spawn-time secrets from the environment or standard input.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { CliContext } from '../context.ts';

/** `FOO` reads the environment, `FOO=-` reads standard input, and `FOO=bar` is used as it is, with a warning. */
export async function readSecrets(
  texts: readonly string[],
  context: CliContext,
  warn: (text: string) => void,
): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  let stdinFor: string | undefined;
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = at === -1 ? text : text.slice(0, at);
    const value = at === -1 ? undefined : text.slice(at + 1);
    if (value === undefined) {
      secrets[name] = fromEnvironment(name, context);
    } else if (value === '-') {
      if (stdinFor !== undefined) throw onlyOne(stdinFor, name);
      stdinFor = name;
      secrets[name] = (await context.readStdin()).replace(/\r?\n$/, '');
    } else {
      warn(
        `the value of ${name} stands in your shell's history and in the process list: use -e ${name} or -e ${name}=-`,
      );
      secrets[name] = value;
    }
  }
  return secrets;
}

function fromEnvironment(name: string, context: CliContext): string {
  const value = context.env[name];
  if (value !== undefined) return value;
  throw new MurmurError('INVALID_ARGUMENT', `secret ${name} is not set in the environment`, {
    hint: `export ${name}, or pipe the value in with -e ${name}=-`,
  });
}

function onlyOne(first: string, second: string): MurmurError {
  return new MurmurError('INVALID_ARGUMENT', `standard input holds one secret, not both ${first} and ${second}`, {
    hint: `take ${second} from the environment: -e ${second}`,
  });
}
