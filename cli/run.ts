// Runs one command line: finds the command, shows help, runs it through oclif, and converts an error to one message and
// an exit status. Uses no global state, so that tests can run it in their process.
import { Config } from '@oclif/core/config';
import { settings } from '@oclif/core/settings';
import type { CallTrace } from '../client/trace.ts';
import { telemetrySettings } from '../config/telemetry.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { nearestName } from '../contract/wire/nearest.ts';
import { passesOn } from './command.ts';
import { bindContext, type CliContext } from './context.ts';
import { ProgramExit, reportFailure } from './output/failure.ts';

/** Settings for oclif. package.json has the same ones for oclif's own tools. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly root: string;
  /** File with `COMMANDS`, relative to the root. */
  readonly commands: string;
}

export const TOPICS = {
  session: { description: 'watch and steer an agent' },
  queue: { description: 'follow-ups that an agent takes between turns' },
  task: { description: "an agent's checklist" },
  flight: { description: 'graphs of agents, defined in a file' },
  url: { description: 'addresses of agents and their ports, to share' },
  machine: { description: 'machines that agents work on, and what is left of them' },
  'auth:token': { description: 'tokens for your other programs and machines' },
};

/** Resolves with the exit status after everything has been printed. */
export async function runCli(argv: readonly string[], context: CliContext, pkg: Package): Promise<number> {
  const flags = flagsBeforeDashes(argv);
  let trace: CallTrace | undefined;
  let command = '';
  let failed = true;
  try {
    trace = await traceOf(context);
    const config = await loadOclif(pkg);
    bindContext(config, trace === undefined ? context : { ...context, traceparent: trace.traceparent });
    const found = findCommand(argv, config);
    command = found.id ?? '';
    await dispatch(found, flags, config, context);
    failed = false;
    return 0;
  } catch (error) {
    const isOwnEnd = context.signal.aborted && !(error instanceof ProgramExit);
    const failure: unknown = isOwnEnd ? context.signal.reason : error;
    return reportFailure(failure, context.terminal, { json: flags.has('json'), debug: flags.has('debug') });
  } finally {
    await trace?.end({ name: `murmur ${command.replaceAll(':', ' ')}`, failed });
  }
}

/** Undefined when no collector is configured, and then nothing is loaded. */
async function traceOf({ env, version }: CliContext): Promise<CallTrace | undefined> {
  const settings = telemetrySettings(env);
  if (settings === undefined) return undefined;
  const { beginTrace } = await import('../client/trace.ts');
  return beginTrace(settings, version, env['TRACEPARENT']);
}

async function loadOclif(pkg: Package): Promise<Config> {
  settings.enableAutoTranspile = false; // Node runs TypeScript itself; oclif would search for a compiler
  const oclif = {
    bin: 'murmur',
    topicSeparator: ' ' as const,
    topics: TOPICS,
    commands: { strategy: 'explicit' as const, target: pkg.commands, identifier: 'COMMANDS' },
  };
  const pjson = { name: pkg.name, version: pkg.version, type: 'module', oclif };
  return Config.load({ root: pkg.root, pjson, userPlugins: false, devPlugins: false, ignoreManifest: true });
}

async function dispatch(
  { help, id, rest }: Found,
  flags: ReadonlySet<string>,
  config: Config,
  context: CliContext,
): Promise<void> {
  if (id === undefined && flags.has('version')) {
    context.terminal.line(`murmur ${config.version}`);
  } else if (id !== undefined && passesOn(config, id) && !help && !isHelpFlag(rest)) {
    await config.runCommand(id, [...rest]);
  } else if (id === undefined || help || flags.has('help') || flags.has('h')) {
    const { showHelp } = await import('./help.ts');
    await showHelp(id, config, context.terminal);
  } else {
    await config.runCommand(id, [...rest]);
  }
}

function isHelpFlag([first, ...others]: readonly string[]): boolean {
  return others.length === 0 && (first === '--help' || first === '-h');
}

interface Found {
  /** A command or, with `help`, a topic; undefined for the whole program. */
  readonly id: string | undefined;
  /** The command line without the command's words. */
  readonly rest: readonly string[];
  /** Whether to show help, even without a help flag. */
  readonly help: boolean;
}

/** Flags with a value that may precede the command. For all other flags, the command's grammar decides. */
const VALUE_FLAGS = ['-w', '-workspace', '--workspace'];

/** Finds the command. Its words are adjacent; flags may precede them. */
function findCommand(argv: readonly string[], config: Config): Found {
  let first = 0;
  while (argv[first]?.startsWith('-') === true) first += VALUE_FLAGS.includes(argv[first] ?? '') ? 2 : 1;
  const before = argv.slice(0, first);
  const words = argv.slice(first);
  if (words[0] === 'help') return { ...findCommand(words.slice(1), config), help: true };
  const [one, two, three] = words;
  if (one === undefined) return { id: undefined, rest: [], help: true };
  if (two !== undefined && three !== undefined && config.findCommand(`${one}:${two}:${three}`) !== undefined) {
    return { id: `${one}:${two}:${three}`, rest: [...before, ...words.slice(3)], help: false };
  }
  if (Object.hasOwn(TOPICS, `${one}:${two ?? ''}`)) return findInTopic(`${one}:${two ?? ''}`, three, config);
  if (two !== undefined && config.findCommand(`${one}:${two}`) !== undefined) {
    return { id: `${one}:${two}`, rest: [...before, ...words.slice(2)], help: false };
  }
  if (config.findCommand(one) !== undefined) return { id: one, rest: [...before, ...words.slice(1)], help: false };
  const isTopicAlone = Object.hasOwn(TOPICS, one) && (two === undefined || two.startsWith('-'));
  if (isTopicAlone) return { id: one, rest: [], help: true };
  throw unknownCommand(one, two, config);
}

function unknownCommand(one: string, two: string | undefined, config: Config): MurmurError {
  const ids = config.commandIDs.map((id) => id.replaceAll(':', ' '));
  const isTopic = Object.hasOwn(TOPICS, one.replaceAll(' ', ':'));
  const typed = isTopic && two !== undefined ? `${one} ${two}` : one;
  const names = typed === one ? [...ids, ...Object.keys(TOPICS)] : ids.filter((id) => id.startsWith(`${one} `));
  const guess = nearestName(typed, names) ?? names.find((name) => name.endsWith(` ${one}`));
  return new MurmurError('INVALID_ARGUMENT', `unknown command ${JSON.stringify(typed)}`, {
    hint: guess === undefined ? '`murmur --help` lists the commands' : `did you mean \`murmur ${guess}\`?`,
  });
}

/** A topic of two words. Alone it shows help; an unknown word after it is an error. */
function findInTopic(topic: string, word: string | undefined, config: Config): Found {
  if (word === undefined || word.startsWith('-')) return { id: topic, rest: [], help: true };
  throw unknownCommand(topic.replaceAll(':', ' '), word, config);
}

/** Names of the flags, with one dash or two, before `--`. */
function flagsBeforeDashes(argv: readonly string[]): ReadonlySet<string> {
  const end = argv.indexOf('--');
  const tokens = end === -1 ? argv : argv.slice(0, end);
  return new Set(tokens.flatMap((token) => /^--?([A-Za-z][\w-]*)$/.exec(token)?.[1] ?? []));
}
