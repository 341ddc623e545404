// `completion`: scripts for shells. They run `murmur ls -q` for slugs.
import type { Invocation } from '../command.ts';
import { bashScript } from './completion/bash.ts';
import { completables, type SHELLS } from './completion/completables.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } satisfies Record<
  (typeof SHELLS)[number],
  unknown
>;

export function runCompletion({ context, parsed }: Invocation): void {
  const shell = parsed.args.get('shell')?.[0] as keyof typeof SCRIPTS;
  context.terminal.line(SCRIPTS[shell](completables()).trimEnd());
}
