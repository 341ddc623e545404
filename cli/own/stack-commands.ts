// Commands that are no operations: they start, stop and examine the embedded stack on this host.
import { makeCommand, type CommandClass } from '../command.ts';
import { COMMON_FLAGS } from '../parse/grammar.ts';
import { UP_FLAGS } from './flags.ts';

export const upCommand: CommandClass = makeCommand({
  command: 'up',
  summary: 'start Murmur on this machine',
  description:
    'Starts Temporal with its Web UI, the worker and the API server, in the background. What agents were doing when ' +
    'the last stack stopped goes on. When one is running, says so and changes nothing. Model credentials are taken ' +
    'from ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN.',
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
    'Cuts off running turns, stops every agent program and ends all processes. All data is kept: the next `murmur up` ' +
    'carries on where this left off.',
  grammar: { args: [], flags: COMMON_FLAGS },
  examples: [{ line: 'down', says: 'agents and conversations are kept' }],
  run: async (invocation) => {
    const { runDown } = await import('./down.ts');
    await runDown(invocation);
  },
});

export const doctorCommand: CommandClass = makeCommand({
  command: 'doctor',
  summary: 'find out what keeps agents from working here',
  description: 'Checks everything that agents on this machine need and lists every problem with its fix.',
  grammar: { args: [], flags: COMMON_FLAGS },
  examples: [{ line: 'doctor', says: 'exit status 6 when there is a problem' }],
  run: async (invocation) => {
    const { runDoctor } = await import('./doctor.ts');
    await runDoctor(invocation);
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
