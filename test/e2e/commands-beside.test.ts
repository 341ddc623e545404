// The commands that are about more or less than an agent's life: its checklist, its secrets, and the program itself. As
// a person sees them and as a program reads them; the fake backend answers.
import { readdir, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../cli/commands.ts';
import { accountOfUser } from '../../contract/wire/identity.ts';
import { CliHarness } from '../cli/harness.ts';
import { bash, scripted, settled } from './fixtures/agent.ts';
import { startProgram } from './fixtures/program.ts';
import { lines, shown } from './fixtures/shown.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';

const FAKE = ['--model', 'fake-1'];
const ACCOUNT = accountOfUser(userInfo().username);

const stack = stackForFile();

beforeAll(async () => {
  await stack.murmur(['spawn', 'first', 'Say', 'hello', ...FAKE], { cwd: stack.directory });
}, 180_000);

describe('the checklist', () => {
  it('is empty at first', async () => {
    expect(await stack.murmur(['task', 'ls', 'first'])).toBe('no tasks');
    expect(await stack.murmur(['task', 'ls', 'first', '--json'])).toBe('[]');
  }, 120_000);

  it('task create, get, update and ls show each item as it stands', async () => {
    expect(await stack.murmur(['task', 'create', 'first', 'Write', 'the', 'docs', '-d', 'All of them.'])).toBe('1');
    const dormant = ['--activate-when', 'files_modified', '--pattern', '**/*.go'];
    expect(await stack.json(['task', 'create', 'first', 'Run the Go tests', ...dormant])).toEqual({ task_id: '2' });
    expect(await stack.murmur(['task', 'update', 'first', '2', '--blocked-by', '1'])).toBe('2 pending');
    expect(await stack.murmur(['task', 'ls', 'first'])).toBe(
      lines(
        'ID  SUBJECT           STATUS             BLOCKED_BY',
        '1   Write the docs    pending',
        '2   Run the Go tests  pending (dormant)  1',
      ),
    );
    expect(await stack.json(['task', 'ls', '--active', 'first'])).toMatchObject([{ id: '1' }]);
    expect(await stack.murmur(['task', 'get', 'first', '1'])).toBe(
      lines(
        'ID:          1',
        'Subject:     Write the docs',
        'Status:      pending',
        'Description: All of them.',
        'Blocks:      2',
      ),
    );
    expect(await stack.json(['task', 'get', 'first', '2'])).toEqual({
      id: '2',
      subject: 'Run the Go tests',
      status: 'pending',
      blocked_by: ['1'],
      activation: 'files_modified:**/*.go',
      dormant: true,
    });
    expect(await stack.murmur(['task', 'update', 'first', '1', '-s', 'completed'])).toBe('1 done');
    expect(await stack.murmur(['task', 'ls', 'first', '--active'])).toBe('no tasks');
    const gone = await stack.json(['task', 'update', 'first', '2', '--status', 'TASK_STATUS_DELETED']);
    expect(gone).toMatchObject({ id: '2', status: 'deleted' });
    expect(await stack.json(['task', 'ls', 'first'])).toMatchObject([{ id: '1', status: 'done' }]);
  }, 120_000);

  it('refuses a task that is not there, a status that is not one, and an update of nothing', async () => {
    expect(await stack.run(['task', 'get', 'first', '9'])).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('no task "9"'),
    });
    expect(await stack.runInProcess(['task', 'update', 'first', '9', '-s', 'done'])).toMatchObject({
      exitCode: 4,
      stdout: '',
      stderr: expect.stringContaining('no task "9"\nhint: list the tasks with `murmur task ls`'),
    });
    expect(await stack.runInProcess(['task', 'update', 'first', '1', '-s', 'dnoe'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^murmur: unknown task status "dnoe"\nhint: did you mean done\?/),
    });
    expect(await stack.runInProcess(['task', 'update', 'first', '1'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nothing to change'),
    });
  }, 120_000);
});

describe('spawn-time secrets', () => {
  const values = { ONE: 'value-one-13579', TWO: 'value-two-24680', THREE: 'value-three-97531' };

  it('reach the agent from environment, stdin and command line, and are shown nowhere', async () => {
    const tell = 'echo "$ONE $TWO $THREE"; printf %s "$ONE,$TWO,$THREE" > told; wc -c < told';
    const prompt = scripted('Tell.', bash(tell), { text: 'told' });
    const spawned = await stack.run(
      ['spawn', 'third', prompt, ...FAKE, '-e', 'ONE', '-e', 'TWO=-', '-e', `THREE=${values.THREE}`],
      {
        env: { ONE: values.ONE },
        input: `${values.TWO}\n`,
      },
    );
    expect(spawned.exitCode).toBe(0);
    expect(spawned.stderr).toBe(
      "murmur: the value of THREE stands in your shell's history and in the process list: use -e THREE or -e THREE=-",
    );
    await settled(stack, 'third');
    const watched = startProgram(stack, ['session', 'watch', 'third']);
    await watched.shows('turn 1 completed');
    watched.signal('SIGINT');
    const { stdout } = await watched.ended;
    expect(stdout).toContain('→ [secret ONE] [secret TWO] [secret THREE]');
    expect(stdout).toContain(String(Object.values(values).join(',').length));
    for (const value of Object.values(values)) expect(stdout).not.toContain(value);
  }, 120_000);

  it('are deleted with the agent', async () => {
    const folder = join(stack.home, 'secrets');
    // Those of other agents, which have a token at least, stay.
    const stored = async () => {
      const texts = (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8').catch(() => ''));
      return (await Promise.all(texts)).some((text) => text.includes(values.ONE));
    };
    expect(await stored()).toBe(true);
    const killed = await stack.murmur(['kill', 'third']);
    expect(killed.split('\n')[0]).toBe('killed third');
    await eventually('the secrets are gone', async () => !(await stored()));
  }, 120_000);

  it('are asked for when the environment does not have them', async () => {
    expect(await stack.runInProcess(['spawn', 'fourth', 'x', '-e', 'MURMUR_TEST_UNSET'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('secret MURMUR_TEST_UNSET is not set in the environment'),
    });
  }, 120_000);
});

describe('the program itself', () => {
  it('auth shows identity, source and expiry', async () => {
    expect(await shown(stack, ['auth'])).toBe(
      lines(
        `account:   ${ACCOUNT}`,
        'workspace: default',
        `source:    ${join(stack.home, 'tokens.json')}`,
        'created:   <time>',
        'expires:   never',
      ),
    );
    expect(await stack.json(['auth'])).toMatchObject({ account: ACCOUNT, workspace: 'default' });
  }, 120_000);

  it('version tells client, address and server; --client asks nobody', async () => {
    const { server } = await stack.record();
    const host = new URL(server?.url ?? '').host;
    expect(await stack.murmur(['version'])).toMatch(
      new RegExp(
        `^Client: \\d+\\.\\d+\\.\\d+ \\((?:checkout|[0-9a-f]{8})\\)\nAPI: {4}${host}\nServer: \\d+\\.\\d+\\.\\d+$`,
      ),
    );
    expect(await stack.json(['version'])).toMatchObject({ client_version: expect.any(String), api_host: host });
    expect(await stack.murmur(['version', '-client'])).toMatch(/^Client: \d+\.\d+\.\d+ \((?:checkout|[0-9a-f]{8})\)$/);
  }, 120_000);

  it.each(['bash', 'zsh', 'fish'])('completion %s is a script of that shell', async (shell) => {
    const script = await stack.murmur(['completion', shell]);
    for (const word of ['murmur', 'spawn', 'strategy', 'dequeue-strategy']) expect(script).toContain(word);
  });

  it('every command has help with examples that it understands', async () => {
    const cli = await CliHarness.start();
    try {
      for (const id of Object.keys(COMMANDS)) {
        const command = id.split(':');
        const { code, stdout } = await cli.run(['help', ...command]);
        expect(code).toBe(0);
        const [, shownExamples = ''] = stdout.split('\nEXAMPLES\n');
        const examples = [...shownExamples.matchAll(/^ *\$ murmur (.+)$/gm)].map(([, line]) => line ?? '');
        expect([id, examples.length]).not.toEqual([id, 0]);
        // The one would start a stack, as every other test of this folder does; the other serves until its input ends.
        if (id === 'up' || id === 'mcp') continue;
        for (const example of examples) {
          const result = await cli.run(wordsOf(example), { stdin: 'an item' });
          expect([example, result.code, result.stderr]).not.toEqual([example, 2, result.stderr]);
        }
      }
    } finally {
      await cli.close();
    }
  }, 120_000);
});

/** The words that a shell makes of a line, up to a redirection. */
function wordsOf(line: string): readonly string[] {
  const [command = ''] = line.split(/ [<>] /);
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}
