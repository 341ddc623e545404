// `mcp`: runs the MCP server, a separate program, on standard input and output. `bin/murmur.js` starts it directly if
// there is no flag but `--debug`.
import { pathToFileURL } from 'node:url';
import { entryFile } from '../../config/package.ts';
import { makeCommand, type CommandClass, type Invocation } from '../command.ts';
import { settingsOf } from '../connection.ts';
import { ProgramExit } from '../output/failure.ts';
import { COMMON_FLAGS } from '../parse/grammar.ts';

export const mcpCommand: CommandClass = makeCommand({
  command: 'mcp',
  summary: 'serve Murmur to a coding agent as MCP tools',
  description:
    'Speaks the Model Context Protocol on standard input and output until the client closes them: agents are spawned, ' +
    'steered and waited for with the same operations as here. Starts also when no Murmur is running; calls say so then. ' +
    "On an agent's machine it is registered already.",
  grammar: {
    args: [],
    flags: [
      {
        name: 'workspace',
        char: 'w',
        kind: 'value',
        repeatable: false,
        description: 'Workspace for calls that name none. Overrides the value from murmur.yaml.',
      },
      {
        name: 'debug',
        kind: 'boolean',
        repeatable: false,
        description: 'Log the traffic to logs/mcp.log in MURMUR_HOME, without tokens and secrets.',
      },
      ...COMMON_FLAGS.filter(({ name }) => name === 'help'),
    ],
  },
  examples: [
    { line: 'mcp', says: 'register it with Claude Code: claude mcp add murmur -- murmur mcp' },
    { line: 'mcp --workspace backend', says: 'for the agents of one workspace' },
  ],
  run: serve,
});

/** The interface of the MCP server's program. It is not part of the CLI, which imports its file at run time. */
interface McpProgram {
  readonly main: (options: { debug: boolean; workspace?: string | undefined }) => Promise<number>;
}

async function serve({ context, parsed }: Invocation): Promise<void> {
  const workspace = parsed.flags.get('workspace')?.[0];
  // Reports an invalid name to the person now, instead of to the model with every call.
  await settingsOf(context, { workspace });
  const { main } = (await import(pathToFileURL(entryFile('mcp')).href)) as McpProgram;
  const exit = await main({ debug: parsed.flags.has('debug'), workspace });
  if (exit !== 0) throw new ProgramExit(exit);
}
