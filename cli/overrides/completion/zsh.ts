// The completion script for zsh.
import type { Completable } from './completables.ts';

/** A `#compdef` file: commands with their summaries, flags with their descriptions. */
export function zshScript(commands: readonly Completable[]): string {
  return `#compdef murmur
# murmur completion for zsh
_murmur() {
  local -a commands flags slugs
  local command=\${words[2]}
  if ((CURRENT == 2)); then
    commands=(${describedFirst(commands)})
    _describe command commands
    return
  fi
  case $command in
${topicsOf(commands)
  .map((topic) => topicCase(topic, commands))
  .join('\n')}
  esac
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
compdef _murmur murmur
`;
}

function topicsOf(commands: readonly Completable[]): readonly string[] {
  return [
    ...new Set(commands.filter(({ command }) => command.includes(' ')).map((c) => c.command.split(' ')[0] ?? '')),
  ];
}

function describedFirst(commands: readonly Completable[]): string {
  const plain = commands.filter(({ command }) => !command.includes(' ')).map((c) => described(c.command, c.summary));
  return [...plain, ...topicsOf(commands).map((topic) => described(topic, `${topic} commands`))].join(' ');
}

function topicCase(topic: string, commands: readonly Completable[]): string {
  const below = commands.filter(({ command }) => command.startsWith(`${topic} `));
  const list = below.map(({ command, summary }) => described(command.split(' ')[1] ?? '', summary)).join(' ');
  return `    ${topic})
      if ((CURRENT == 3)); then commands=(${list}); _describe command commands; return; fi
      command="${topic} \${words[3]}" ;;`;
}

function commandCase({ command, flags, takesSlug, values }: Completable): string {
  const list = flags.map(({ name, description }) => described(`--${name}`, description)).join(' ');
  const words = values.length === 0 ? '' : `compadd ${values.join(' ')};`;
  const slugs = takesSlug ? 'slugs=(${(f)"$(murmur ls -q 2>/dev/null)"}); compadd -a slugs;' : '';
  return `    '${command}') flags=(${list}); if [[ $PREFIX == -* ]]; then _describe flag flags; else ${words}${slugs} :; fi ;;`;
}

/** `'name:text'`, quoted for zsh. */
function described(name: string, text: string): string {
  return `'${`${name}:${text}`.replaceAll("'", String.raw`'\''`)}'`;
}
