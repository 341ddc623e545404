// Prints oclif's help through our terminal.
import { stripVTControlCharacters } from 'node:util';
import type { Config } from '@oclif/core/config';
import { Help } from '@oclif/core/help';
import type { Terminal } from './output/terminal.ts';

/** Prints the help of a command or topic; the general help if `id` is undefined. */
export async function showHelp(id: string | undefined, config: Config, terminal: Terminal): Promise<void> {
  class TerminalHelp extends Help {
    protected override log(...texts: string[]): void {
      terminal.line(stripVTControlCharacters(texts.join(' ')));
    }
  }
  const help = new TerminalHelp(config, { maxWidth: 110, flagSortOrder: 'none' });
  await help.showHelp(id === undefined ? [] : [id]);
}
