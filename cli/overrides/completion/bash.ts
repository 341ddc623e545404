// The completion script for bash 4 and newer.
import type { Completable } from './completables.ts';

/** One function: finds the command among the words, then offers values, flags or slugs. */
export function bashScript(commands: readonly Completable[]): string {
  const first = [...new Set(commands.map(({ command }) => command.split(' ')[0] ?? ''))];
  const topics = first.filter((word) => commands.some(({ command }) => command.startsWith(`${word} `)));
  return `# murmur completion for bash
_murmur() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} choices=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${first.join(' ')}' -- "$current"))
    return
  fi
  case $command in
${topics.map((topic) => topicCase(topic, commands)).join('\n')}
  esac
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case $command in
${commands.map(commandCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
complete -F _murmur murmur
`;
}

function topicCase(topic: string, commands: readonly Completable[]): string {
  const seconds = commands.filter(({ command }) => command.startsWith(`${topic} `)).map((c) => c.command.split(' ')[1]);
  return `    ${topic})
      if ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W '${seconds.join(' ')}' -- "$current")); return; fi
      command="${topic} \${COMP_WORDS[2]}" ;;`;
}

function valueCases({ command, flags }: Completable): string[] {
  return flags
    .filter(({ kind, values }) => kind === 'value' && values !== undefined)
    .map(
      ({ name, values = [] }) =>
        `    '${command} --${name}') COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$current")); return ;;`,
    );
}

function commandCase({ command, flags, takesSlug, values }: Completable): string {
  const names = flags.map(({ name }) => `--${name}`).join(' ');
  const slugs = takesSlug ? ' $(murmur ls -q 2>/dev/null)' : '';
  return `    '${command}') if [[ $current == -* ]]; then choices='${names}'; else choices="${values.join(' ')}${slugs}"; fi ;;`;
}
