// Commands that are not operations: they start, stop and examine the embedded stack on this host.
import { makeCommand, type CommandClass } from '../command.ts';
import { COMMON_FLAGS } from '../parse/grammar.ts';
import { UP_FLAGS } from './flags.ts';

export const upCommand: CommandClass = makeCommand({
  command: 'up',
  summary: 'start Murmur on this machine',
  description:
    'Starts Temporal, the worker and the API server, in the background. Agents continue where the last stack stopped. ' +
    'If Murmur is already running, reports that and changes nothing. Reads model credentials from ANTHROPIC_API_KEY ' +
    'or CLAUDE_CODE_OAUTH_TOKEN.',
  grammar: { args: [], flags: [...UP_FLAGS, ...COMMON_FLAGS] },
  examples: [
    { line: 'up', says: 'in the background' },
    { line: 'up --foreground', says: 'attached to the terminal' },
  ],
  run: async (invocation) => {
    const { runUp } = await import('./up.ts');
    await runUp(invocation);
  },
});

export const downCommand: CommandClass = makeCommand({
  command: 'down',
  summary: 'stop Murmur on this machine',
  description:
    'Cuts off running turns, stops every agent program and ends all processes. All data is kept: agents continue after ' +
    'the next `murmur up`.',
  grammar: { args: [], flags: COMMON_FLAGS },
  examples: [{ line: 'down', says: 'agents and conversations are kept' }],
  run: async (invocation) => {
    const { runDown } = await import('./down.ts');
    await runDown(invocation);
  },
});

export const doctorCommand: CommandClass = makeCommand({
  command: 'doctor',
  summary: 'check what agents need on this machine',
  description: 'Checks everything that agents need on this machine, and lists every problem with its fix.',
  grammar: { args: [], flags: COMMON_FLAGS },
  examples: [{ line: 'doctor', says: 'exit status 6 if there is a problem' }],
  run: async (invocation) => {
    const { runDoctor } = await import('./doctor.ts');
    await runDoctor(invocation);
  },
});

export const temporalCommand: CommandClass = makeCommand({
  command: 'temporal',
  summary: "run Temporal's own command line",
  description:
    'Runs the official `temporal` program with the address, the namespace and the certificates of the Temporal that ' +
    'Murmur uses here, from any folder. Passes on all words after `temporal`, signals and the exit status. ' +
    '`murmur temporal help` lists its commands, `murmur temporal workflow list --help` explains one.',
  grammar: {
    args: [{ name: 'words', description: 'Command and flags for `temporal`.', required: false, rest: true }],
    flags: COMMON_FLAGS.filter(({ name }) => name === 'help'),
  },
  examples: [
    { line: 'temporal workflow list', says: 'every agent as Temporal sees it' },
    { line: 'temporal workflow show -w <id>', says: 'the history of an agent; `status` shows the id' },
  ],
  passesOn: true,
  run: async (invocation) => {
    const { runTemporal } = await import('./temporal.ts');
    await runTemporal(invocation);
  },
});

export const temporalUrlCommand: CommandClass = makeCommand({
  command: 'url temporal',
  summary: "print a link to Temporal's Web UI",
  description:
    'Prints a link to the Web UI of the Temporal that `murmur up` started. The link works in browsers on this host for 8 ' +
    'hours, or until Temporal restarts. It is for operators: everybody who has it can end every agent and read every ' +
    'history. The UI is off if agents do not run in namespaces.',
  grammar: { args: [], flags: COMMON_FLAGS },
  examples: [{ line: 'url temporal', says: 'open it in Chromium or Firefox' }],
  run: async (invocation) => {
    const { runTemporalUrl } = await import('./temporal.ts');
    await runTemporalUrl(invocation);
  },
});

export const completionCommand: CommandClass = makeCommand({
  command: 'completion',
  summary: 'print a completion script for your shell',
  description: 'Prints a script that completes commands, flags, values and the slugs of your agents.',
  grammar: {
    args: [{ name: 'shell', description: 'Your shell.', required: true, rest: false, values: ['bash', 'zsh', 'fish'] }],
    flags: COMMON_FLAGS,
  },
  examples: [
    { line: 'completion bash > ~/.local/share/bash-completion/completions/murmur', says: 'bash' },
    { line: 'completion zsh > "${fpath[1]}/_murmur"', says: 'zsh' },
    { line: 'completion fish > ~/.config/fish/completions/murmur.fish', says: 'fish' },
  ],
  run: async (invocation) => {
    const { runCompletion } = await import('./completion.ts');
    runCompletion(invocation);
  },
});
