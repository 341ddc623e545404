// Gets the help of a command by running it.
import { makeTerminal } from '../../cli/output/terminal.ts';
import { runCli } from '../../cli/run.ts';

/** Width at which oclif wraps lines, instead of the terminal's. */
const COLUMNS = '100';

/** The output of `murmur <command> --help`, without colours and at a fixed width. */
export async function commandHelp(root: string, command: string): Promise<string> {
  process.env['OCLIF_COLUMNS'] = COLUMNS;
  const env = { NO_COLOR: '1' };
  let printed = '';
  const print = { write: (text: string) => (printed += text) };
  const code = await runCli(
    [...command.split(' '), '--help'],
    {
      env,
      cwd: root,
      terminal: makeTerminal(print, print, env),
      readStdin: () => Promise.resolve(''),
      signal: new AbortController().signal,
      version: '',
    },
    { name: 'murmur', version: '', root, commands: 'cli/commands.ts' },
  );
  if (code !== 0) throw new Error(`murmur ${command} --help failed: ${printed}`);
  return printed
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}
