// Commands on the file of a flight. Two of them need no server; `run` is `spawn` with the file as first argument.
import type { OperationDescription } from '../../contract/describe.ts';
import { makeCommand, type CommandClass, type Invocation } from '../command.ts';
import { operationCommand } from '../operation.ts';
import type { LazyOverride } from '../override.ts';
import { COMMON_FLAGS, type Grammar } from '../parse/grammar.ts';

const FILE: Grammar = {
  args: [
    {
      name: 'flight',
      description: 'File of the flight, relative to `.murmur/flights/`, such as `deploy.md`.',
      required: true,
      rest: false,
    },
  ],
  flags: COMMON_FLAGS,
};

export const flightValidateCommand: CommandClass = makeCommand({
  command: 'flight validate',
  summary: "check a flight's file",
  description:
    'Checks the file as `spawn` does, without a server. Reports every error with its line and column, and exit status 2.',
  grammar: FILE,
  examples: [{ line: 'flight validate deploy.md', says: 'in the nearest .murmur/flights' }],
  run: async (invocation) => {
    const { context, json } = invocation;
    const { file, plan } = await planOf(invocation);
    const agents = plan.nodes.map(({ slug }) => slug);
    if (json) context.terminal.json({ flight: file, name: plan.name, agents });
    else context.terminal.line(`${file} is valid: ${plan.name}, ${agents.length.toString()} agents`);
  },
});

export const flightGraphCommand: CommandClass = makeCommand({
  command: 'flight graph',
  summary: "print the graph of a flight's file",
  description:
    'Prints one line for each agent: the earliest step in which it can start, and the agents that it waits for.',
  grammar: FILE,
  examples: [{ line: 'flight graph deploy.md', says: 'the order of its agents' }],
  run: async (invocation) => {
    const { plan } = await planOf(invocation);
    const { graphText, rankNodes } = await import('../../contract/flight/graph-text.ts');
    const { terminal } = invocation.context;
    if (invocation.json) {
      const nodes = rankNodes(plan).map(({ node: { prompt: _prompt, ...node }, step }) => ({ step, ...node }));
      terminal.json({ name: plan.name, settings: plan.settings, nodes });
    } else if (plan.nodes.length === 0) {
      terminal.progress('no agents: the pilot does the work itself');
    } else {
      terminal.line(graphText(plan));
    }
  },
});

/** `flight run`: a spawn with a flight, as a command of its own. */
export function flightRunCommand(spawn: OperationDescription, lazy: LazyOverride): CommandClass {
  const { cli, fields } = spawn;
  return operationCommand(
    {
      ...spawn,
      summary: 'run a flight',
      description:
        'Does the same as `spawn --flight`: creates the pilot of the flight and runs the graph of agents beneath it.',
      fields: fields
        .filter(({ name }) => name !== 'each')
        .map((field) => (field.name === 'flight' ? { ...field, required: true } : field)),
      cli: {
        ...cli,
        command: 'flight run',
        args: ['flight', 'slug', 'description'],
        examples: [
          { line: 'flight run deploy.md', says: 'its pilot is flight-deploy' },
          { line: 'flight run deploy.md deploy-v2 --flight-inputs \'{"version": "2.1.0"}\'', says: 'with inputs' },
        ],
      },
    },
    lazy,
  );
}

async function planOf({ context, parsed }: Invocation) {
  const { readFlight } = await import('../../client/flight.ts');
  const file = parsed.args.get('flight')?.[0] ?? '';
  return { file, plan: (await readFlight(context.cwd, file)).plan };
}
