// All commands, with output for people (as processes) and with JSON output (mostly in the test's process). The fake
// backend answers, because the tests are about the command line and not the model.
import { readdir, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../cli/commands.ts';
import { accountOfUser } from '../../contract/wire/identity.ts';
import { CliHarness } from '../cli/harness.ts';
import { bash, scripted, settled, type AgentStatus } from './fixtures/agent.ts';
import { startProgram } from './fixtures/program.ts';
import { eventually, startStack, type CommandOptions, type TestStack } from './fixtures/stack.ts';

const FAKE = ['--model', 'fake-1'];
const ACCOUNT = accountOfUser(userInfo().username);
/** Limit for several commands, each a process, on two slow cores. */
const TIMEOUT_MS = 120_000;

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
}, 180_000);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
}, TIMEOUT_MS);

/** The output of a successful command, without values that differ between runs. */
async function shown(args: readonly string[], options?: CommandOptions): Promise<string> {
  return (await stack.murmur(args, options))
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
    .replaceAll(/\[\d\d:\d\d:\d\d\]/g, '[<time>]')
    .replaceAll(/murmur-[0-9a-f]{8}/g, '<vm>')
    .replaceAll(/\d+[smhd] ago/g, '<ago>')
    .replaceAll(/at [0-9a-f]{8} /g, 'at <sha> ');
}

function lines(...texts: readonly string[]): string {
  return texts.join('\n');
}

describe('spawn and ls', () => {
  it('ls reports an empty list, for people and as JSON', async () => {
    expect(await stack.run(['ls'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'no living agents (`murmur ls -a` shows ended ones)',
    });
    expect(await stack.murmur(['ls', '--json'])).toBe('[]');
    expect(await stack.murmur(['ls', '-q'])).toBe('');
  }, 120_000);

  it('spawn joins the words, accepts flags after them, and names the next commands', async () => {
    const args = ['spawn', 'first', 'Say', 'hello', '-model=fake-1', '--purpose', 'Says hello'];
    expect(await stack.run(args)).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: lines(
        'Spawned: first',
        '',
        '  To get the status of the task:    murmur status first',
        '  To watch what it does:            murmur session watch first',
        '  To kill the task:                 murmur kill first',
        '  To send a follow-up:              murmur queue add first "additional context"',
      ),
    });
    const hang = scripted('Hang.', { hang: true });
    const spawned = await stack.run(['spawn', 'second', hang, ...FAKE, '-json'], { cwd: stack.directory });
    expect(JSON.parse(spawned.stdout)).toEqual({
      slug: 'second',
      workspace: 'default',
      path: `/w/default/u/${ACCOUNT}/second`,
      phase: 'starting',
      vm: expect.stringMatching(/^murmur-[0-9a-f]{8}$/),
    });
    expect(spawned.stderr).toContain('no git work tree: the agent starts in an empty directory');
  }, 120_000);

  it('wait accepts both spellings of a phase, and shows progress only on stderr', async () => {
    const waited = await stack.run(['wait', 'first']);
    expect(waited.stderr).toContain('waiting until first needs attention …');
    expect(waited.stdout).toMatch(/^phase: +idle$/m);
    for (const phase of ['idle', 'PHASE_IDLE', 'task_complete', 'PHASE_TASK_COMPLETE']) {
      expect(await stack.json(['wait', '--phase', phase, 'first'])).toMatchObject({ slug: 'first', phase: 'idle' });
    }
    expect((await stack.json<AgentStatus>(['wait', 'second', '-phase', 'running'])).phase).toBe('running');
    expect(await stack.runInProcess(['wait', 'first', '--phase', 'idel'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^murmur: unknown phase "idel"\nhint: did you mean idle\?/),
    });
  }, 120_000);

  it('ls lists living agents as a table, as slugs and as JSON', async () => {
    const [head, ...rows] = (await shown(['ls'])).split('\n');
    expect(head).toMatch(/^SLUG {4}PHASE {4}VM +PROGRESS +COST$/);
    expect(rows[0]).toMatch(/^first {3}idle {5}<vm> +\[text\] ACK 1: Say hello \(<ago>\) +<\$0\.01$/);
    expect(rows[1]).toMatch(/^second {2}running {2}<vm>/);
    expect(await stack.murmur(['ls', '-q'])).toBe('first\nsecond');
    expect(await stack.json(['ls'])).toEqual([
      {
        slug: 'first',
        path: `/w/default/u/${ACCOUNT}/first`,
        phase: 'idle',
        vm: expect.stringMatching(/^murmur-/),
        progress: '[text] ACK 1: Say hello',
        progress_at: expect.stringMatching(/^\d{4}-/),
        cost: 0.001,
        purpose: 'Says hello',
        created_at: expect.stringMatching(/^\d{4}-/),
      },
      expect.objectContaining({ slug: 'second', phase: 'running' }),
    ]);
    expect(await stack.json(['ls', '-w', 'elsewhere'])).toEqual([]);
  }, 120_000);
});

describe('what an agent did', () => {
  it('status omits lines without a value, and prints the timeline on request', async () => {
    const { vm } = await stack.json<AgentStatus>(['status', 'first']);
    const block = lines(
      `workflow:   w/default/u/${ACCOUNT}/first`,
      'phase:      idle',
      'purpose:    Says hello',
      'model:      fake-1',
      `vm:         <vm> (local, ${vm?.isolation ?? ''}) [running]`,
      'limits:     512 processes, 4096 MiB memory, 256 MiB /dev/shm, 20480 MiB disk, 1000 MiB uploads, 10 messages/s, 16 MiB queued',
      'progress:   [text] ACK 1: Say hello (<ago>)',
      'working on: Say hello',
      'response:   ACK 1: Say hello',
      `branches:   murmur/default/${ACCOUNT}/first at <sha> (not pushed)`,
      'cost:       <$0.01',
      'saved:      up to turn 1',
    );
    expect(await shown(['status', 'first'])).toBe(block);
    expect(await shown(['status', '--timeline', 'first'])).toBe(
      lines(
        block,
        '',
        '<time>  phase starting',
        '<time>  phase running',
        '<time>  turn 1 done: ACK 1: Say hello',
        '<time>  phase task-complete',
        '<time>  phase idle',
      ),
    );
    const { timeline } = await stack.json<AgentStatus>(['status', 'first', '--timeline=task-complete,push']);
    expect(timeline?.map(({ type }) => type)).toEqual(['taskComplete']);
    expect(await stack.json(['status', `/w/default/u/${ACCOUNT}/first`])).toMatchObject({ slug: 'first' });
  }, 120_000);

  it('turns prints one block per turn', async () => {
    expect(await shown(['turns', 'first'])).toBe(
      lines('turn 1  <time> → <time>', '  description: Say hello', '  response:', '    ACK 1: Say hello'),
    );
    expect(await stack.json(['turns', 'first'])).toMatchObject([
      { turn: 1, status: 'completed', description: 'Say hello', response: 'ACK 1: Say hello' },
    ]);
    expect(await shown(['turns', 'second'])).toMatch(/^turn 1 {2}<time> → \(in flight\)\n {2}description: Hang\./);
  }, 120_000);
});

describe('follow-ups', () => {
  it('queue add, strategy and clear confirm what they did', async () => {
    expect(await stack.murmur(['queue', 'add', 'second', 'one', 'two'])).toBe('Follow-up sent to second');
    const dashed = ['queue', 'add', '-json', 'second', '--', '--three', '-x'];
    expect(JSON.parse(await stack.murmur(dashed))).toMatchObject({ slug: 'second' });
    expect(await stack.json(['status', 'second'])).toMatchObject({ queued: ['one two', '--three -x'] });
    expect(await shown(['status', 'second'])).toContain('queued:     one two\n            --three -x');
    expect(await stack.murmur(['queue', 'strategy', 'second', 'one'])).toBe('dequeue strategy set to one for second');
    expect(await stack.json(['queue', 'strategy', 'second', 'five'])).toEqual({ slug: 'second', strategy: 'five' });
    expect((await stack.runInProcess(['queue', 'strategy', 'second', 'fiev'])).stderr).toBe(
      'murmur: invalid strategy "fiev"\nhint: did you mean five? it takes all, one, five',
    );
    expect(await stack.murmur(['queue', 'clear', 'second'])).toBe('cleared 2');
    expect(await stack.json(['queue', 'clear', 'second'])).toEqual({ cleared: 0 });
    expect(await stack.json(['status', 'second'])).toMatchObject({ queued: [] });
  }, 120_000);

  it('session send bypasses the queue, and session interrupt ends the turn before it', async () => {
    expect(await stack.murmur(['session', 'send', 'second', scripted('Go on.', { text: 'went on' })])).toBe('sent');
    expect(await stack.murmur(['session', 'interrupt', 'second'])).toBe('sent');
    expect(await stack.json(['wait', 'second'])).toMatchObject({ response: 'went on' });
  }, 120_000);
});

describe('the checklist', () => {
  it('is empty at first', async () => {
    expect(await stack.murmur(['task', 'ls', 'first'])).toBe('no tasks');
    expect(await stack.murmur(['task', 'ls', 'first', '--json'])).toBe('[]');
  }, 120_000);

  it('task create, get, update and ls show the current state of each item', async () => {
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

  it('refuses an unknown task, an unknown status, and an empty update', async () => {
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

describe('watching', () => {
  it('Ctrl-C ends wait and watch with 130, and watch prints where to resume', async () => {
    const waiting = startProgram(stack, ['wait', 'first', '--phase', 'completed']);
    const watching = startProgram(stack, ['watch', 'first']);
    await waiting.shows('waiting until first is completed …');
    await watching.shows('phase idle');
    for (const program of [waiting, watching]) program.signal('SIGINT');
    expect(await waiting.ended).toMatchObject({ exitCode: 130, stdout: '' });
    const { exitCode, stderr, stdout } = await watching.ended;
    expect(exitCode).toBe(130);
    expect(stdout.split('\n')[0]).toMatch(/^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\] phase starting$/);
    const last = /^last event: (\d+) \(resume with --from \1\)$/m.exec(stderr)?.[1] ?? '';
    expect(stderr).not.toContain('murmur:');

    expect(await stack.murmur(['session', 'stop', 'first'])).toBe('sent');
    const rest = await stack.run(['watch', 'first', '--from', last, '--json']);
    const events = rest.stdout.split('\n').map((line) => JSON.parse(line) as { id: string; event: object });
    expect(Number(events[0]?.id)).toBeGreaterThan(Number(last));
    expect(events.at(-1)?.event).toMatchObject({ type: 'phase', phase: 'completed' });
    expect(rest.stderr).toBe('watching first …\nfirst has ended');
    expect(await stack.murmur(['ls', '-q'])).toBe('second');
    expect(await shown(['ls', '-a'])).toMatch(/^first {3}completed/m);
  }, 120_000);

  it('session watch prints the conversation, with colours only on request', async () => {
    expect(await shown(['session', 'watch', 'first'])).toBe(
      lines(
        '[<time>] turn 1',
        '[<time>] session started (fake-1)',
        '[<time>] > Say hello',
        '[<time>] ▍ ACK 1: Say hello',
        '[<time>] cost <$0.01',
        '[<time>] turn 1 completed',
        '[<time>] session ended: stopped',
      ),
    );
    const coloured = await stack.murmur(['session', 'watch', 'first'], { env: { FORCE_COLOR: '1' } });
    expect(coloured).toContain('\u001b[32m');
    const plain = await stack.murmur(['session', 'watch', 'first'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } });
    expect(plain).not.toContain('\u001b');
    const entries = (await stack.murmur(['session', 'watch', 'first', '-json'])).split('\n');
    expect(JSON.parse(entries[0] ?? '')).toMatchObject({ id: expect.stringMatching(/^\d+$/), event: { turn: 1 } });
  }, 120_000);
});

describe('spawn-time secrets', () => {
  const values = { ONE: 'value-one-13579', TWO: 'value-two-24680', THREE: 'value-three-97531' };

  it('reach the agent from environment, stdin and command line, and are never shown', async () => {
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
    // The secrets of other agents stay; each has at least a token.
    const stored = async () => {
      const texts = (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8').catch(() => ''));
      return (await Promise.all(texts)).some((text) => text.includes(values.ONE));
    };
    expect(await stored()).toBe(true);
    const killed = await stack.murmur(['kill', 'third']);
    expect(killed.split('\n')[0]).toBe('killed third');
    await eventually('the secrets are gone', async () => !(await stored()));
  }, 120_000);

  it('that are missing in the environment are refused, with the name', async () => {
    expect(await stack.runInProcess(['spawn', 'fourth', 'x', '-e', 'MURMUR_TEST_UNSET'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('secret MURMUR_TEST_UNSET is not set in the environment'),
    });
  }, 120_000);
});

describe('kill', () => {
  it('prints a receipt, the same one when repeated, and as JSON', async () => {
    const receipt = await shown(['kill', 'second']);
    expect(receipt).toMatch(/^killed second\nAGENT +PHASE +MACHINE +STATE +COST\n/);
    expect(receipt).toMatch(
      new RegExp(`^/w/default/u/${ACCOUNT}/second +canceled +<vm> destroyed +snapshot kept +<?\\$0\\.0\\d$`, 'm'),
    );
    expect(await shown(['kill', 'second'])).toBe(receipt);
    expect(await stack.json(['kill', 'second'])).toMatchObject({
      slug: 'second',
      message: 'killed second',
      receipt: [{ phase: 'canceled', machine_state: 'destroyed' }],
    });
    expect(await shown(['status', 'second'])).toMatch(/^phase: +canceled\nreason: +killed by /m);
  }, 120_000);
});

describe('the program itself', () => {
  it('auth shows identity, source and expiry', async () => {
    expect(await shown(['auth'])).toBe(
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

  it('version prints client, address and server; --client calls no server', async () => {
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

  it('the help of every command has valid examples', async () => {
    const cli = await CliHarness.start();
    try {
      for (const id of Object.keys(COMMANDS)) {
        const command = id.split(':');
        const { code, stdout } = await cli.run(['help', ...command]);
        expect(code).toBe(0);
        const [, shownExamples = ''] = stdout.split('\nEXAMPLES\n');
        const examples = [...shownExamples.matchAll(/^ *\$ murmur (.+)$/gm)].map(([, line]) => line ?? '');
        expect([id, examples.length]).not.toEqual([id, 0]);
        // `up` would start a stack, which other tests do; `mcp` serves until its input ends.
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

/** Splits a line into words like a shell, up to a redirection. */
function wordsOf(line: string): readonly string[] {
  const [command = ''] = line.split(/ [<>] /);
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}
