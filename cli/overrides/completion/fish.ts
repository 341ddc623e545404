// The completion script for fish.
import type { Completable } from './completables.ts';
import type { FlagGrammar } from '../../parse/grammar.ts';

/** One `complete` line for each command, flag and value. */
export function fishScript(commands: readonly Completable[]): string {
  return `# murmur completion for fish
complete -c murmur -f
${commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines(completable: Completable): string[] {
  const { command, flags, summary, takesSlug, values } = completable;
  const [first = '', second] = command.split(' ');
  const start =
    second === undefined
      ? `complete -c murmur -n __fish_use_subcommand -a ${first} -d ${quoted(summary)}`
      : `complete -c murmur -n '__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${second}' -a ${second} -d ${quoted(summary)}`;
  const topic = second === undefined ? [] : [`complete -c murmur -n __fish_use_subcommand -a ${first}`];
  const seen =
    second === undefined
      ? `'__fish_seen_subcommand_from ${first}'`
      : `'__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}'`;
  const slugs = takesSlug ? [`complete -c murmur -n ${seen} -a '(murmur ls -q 2>/dev/null)'`] : [];
  const words = values.length === 0 ? [] : [`complete -c murmur -n ${seen} -a ${quoted(values.join(' '))}`];
  return [...topic, start, ...words, ...slugs, ...flags.map((flag) => flagLine(seen, flag))];
}

function flagLine(seen: string, { char, description, kind, name, values }: FlagGrammar): string {
  const short = char === undefined ? '' : ` -s ${char}`;
  const value = kind === 'value' ? ` -x${values === undefined ? '' : ` -a ${quoted(values.join(' '))}`}` : '';
  return `complete -c murmur -n ${seen} -l ${name}${short}${value} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
