// Parses a command line by its grammar. Flags may be anywhere, with one dash or two. oclif's own parser is not used: it
// reads `-json` as four flags, lets a repeatable flag take the words after it, waits for stdin if a positional is
// missing, and reorders repeated words.
import { MurmurError } from '../../contract/wire/errors.ts';
import { nearestName } from '../../contract/wire/nearest.ts';
import { parsePhase } from '../../contract/wire/phases.ts';
import { parseTaskStatus } from '../../contract/wire/tasks.ts';
import type { ArgGrammar, FlagGrammar, Grammar } from './grammar.ts';
import { sameName } from './names.ts';

export interface Parsed {
  /** Values by flag name. A boolean flag that is set has none. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** Words by positional. The last positional may have all remaining words. */
  readonly args: ReadonlyMap<string, readonly string[]>;
}

/** A dash and a letter, without spaces: `-h`, `--json`, `-repo=x`. A prompt such as `- fix this` is not a flag. */
const FLAG = /^--?[A-Za-z][\w-]*(?:=[\s\S]*)?$/;

/**
 * Parses the words. Throws INVALID_ARGUMENT for an unknown flag or value (with the nearest known one), a missing value,
 * and a missing or unexpected positional.
 * @param command name of the command in hints
 */
export function parseArguments(argv: readonly string[], grammar: Grammar, command: string): Parsed {
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  let isText = false;
  const tokens = [...argv];
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token === '--') {
      isText = words.length === 0;
      words.push(...tokens.splice(0));
    } else if (FLAG.test(token)) {
      readFlag(token, tokens, grammar, flags, command);
    } else {
      words.push(token);
    }
  }
  for (const flag of grammar.flags) {
    if (flag.required === true && !flags.has(flag.name)) throw wrong(`--${flag.name} required`, command);
  }
  return { flags, args: assignWords(words, grammar.args, command, isText) };
}

function readFlag(
  token: string,
  tokens: string[],
  grammar: Grammar,
  flags: Map<string, string[]>,
  command: string,
): void {
  const [, typed = '', , attached] = /^--?([^=]+)(=([\s\S]*))?$/.exec(token) ?? [];
  const flag = findFlag(typed, token, grammar) ?? unknownFlag(token, typed, grammar, command);
  const values = flags.get(flag.name) ?? [];
  if (flags.has(flag.name) && !flag.repeatable && flag.kind !== 'boolean') {
    throw wrong(`--${flag.name} is given twice`, command);
  }
  flags.set(flag.name, values);
  if (flag.kind === 'boolean') {
    if (attached === 'false') flags.delete(flag.name);
    else if (attached !== undefined && attached !== 'true') throw wrong(`--${flag.name} takes no value`, command);
    return;
  }
  const value = attached ?? (flag.kind === 'optional' ? undefined : tokens.shift());
  if (value === undefined) {
    if (flag.kind === 'optional') return;
    throw wrong(`--${flag.name} needs a value`, command);
  }
  const parts = flag.commas === true ? value.split(',').filter((part) => part !== '') : [value];
  values.push(...parts.map((part) => checkedValue(part, `--${flag.name}`, flag, command)));
}

/** `-w` is a short flag, `-workspace` a long one. One dash and one letter is never a long flag. */
function findFlag(typed: string, token: string, grammar: Grammar): FlagGrammar | undefined {
  const isShort = !token.startsWith('--') && typed.length === 1;
  return grammar.flags.find((flag) => (isShort ? flag.char === typed : sameName(flag.name, typed)));
}

function unknownFlag(token: string, typed: string, grammar: Grammar, command: string): never {
  const names = grammar.flags.filter((flag) => flag.hidden !== true).map((flag) => flag.name);
  const guess = nearestName(typed, names);
  const shown = token.split('=')[0] ?? token;
  throw wrong(`unknown flag ${shown}`, command, guess === undefined ? undefined : `did you mean --${guess}?`);
}

function checkedValue(
  value: string,
  what: string,
  known: Pick<FlagGrammar, 'values' | 'otherSpellings' | 'refusal'>,
  command: string,
): string {
  if (known.values === undefined) return value;
  const meant = known.values.find((each) => sameName(each, value));
  if (meant !== undefined) return meant;
  if (known.otherSpellings === true && isOtherSpelling(value)) return value;
  const guess = nearestName(value, known.values);
  const offer = guess === undefined ? '' : `did you mean ${guess}? `;
  const shown = JSON.stringify(value);
  throw wrong(
    known.refusal === undefined ? `unknown value ${shown} for ${what}` : `${known.refusal} ${shown}`,
    command,
    `${offer}it takes ${known.values.join(', ')}`,
  );
}

/** `PHASE_IDLE`, `killed`, `completed`: spellings that the server accepts for a phase or a status. */
function isOtherSpelling(value: string): boolean {
  return parsePhase(value) !== undefined || parseTaskStatus(value) !== undefined;
}

/**
 * Assigns words to positionals. An optional positional is skipped if there are only enough words for the required ones,
 * or if `--` before the words marks all of them as text.
 */
function assignWords(
  words: readonly string[],
  args: readonly ArgGrammar[],
  command: string,
  isText: boolean,
): ReadonlyMap<string, readonly string[]> {
  const assigned = new Map<string, readonly string[]>();
  let next = 0;
  for (const [index, arg] of args.entries()) {
    const others = args.slice(index + 1).filter(({ required }) => required);
    const isForText = isText && others.some(({ rest }) => rest);
    if (!arg.required && others.length > 0 && (isForText || words.length - next <= others.length)) continue;
    const taken = words.slice(next, arg.rest ? undefined : next + 1);
    next += taken.length;
    if (taken.length > 0)
      assigned.set(
        arg.name,
        taken.map((word) => checkedValue(word, arg.name, arg, command)),
      );
    else if (arg.required) throw wrong(`${arg.name} required`, command);
  }
  const surplus = words[next];
  if (surplus !== undefined) throw wrong(`unexpected argument ${JSON.stringify(surplus)}`, command);
  return assigned;
}

function wrong(message: string, command: string, hint = `see \`murmur ${command} --help\``): MurmurError {
  return new MurmurError('INVALID_ARGUMENT', message, { hint });
}
