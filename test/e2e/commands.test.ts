// The commands of an agent's life once, as a person sees them, which is a process of the program, and as a program
// reads them, mostly in the process of the test. The fake backend answers: what is said is the command line's, not the
// model's.
import { userInfo } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { accountOfUser } from '../../contract/wire/identity.ts';
import { scripted, type AgentStatus } from './fixtures/agent.ts';
import { startProgram } from './fixtures/program.ts';
import { lines, shown } from './fixtures/shown.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';

const FAKE = ['--model', 'fake-1'];
const ACCOUNT = accountOfUser(userInfo().username);

const stack = stackForFile();

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
    const [head, ...rows] = (await shown(stack, ['ls'])).split('\n');
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
    expect(await shown(stack, ['status', 'first'])).toBe(block);
    expect(await shown(stack, ['status', '--timeline', 'first'])).toBe(
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
    expect(await shown(stack, ['turns', 'first'])).toBe(
      lines('turn 1  <time> → <time>', '  description: Say hello', '  response:', '    ACK 1: Say hello'),
    );
    expect(await stack.json(['turns', 'first'])).toMatchObject([
      { turn: 1, status: 'completed', description: 'Say hello', response: 'ACK 1: Say hello' },
    ]);
    expect(await shown(stack, ['turns', 'second'])).toMatch(
      /^turn 1 {2}<time> → \(in flight\)\n {2}description: Hang\./,
    );
  }, 120_000);
});

describe('follow-ups', () => {
  it('queue add, strategy and clear confirm what they did', async () => {
    expect(await stack.murmur(['queue', 'add', 'second', 'one', 'two'])).toBe('Follow-up sent to second');
    const dashed = ['queue', 'add', '-json', 'second', '--', '--three', '-x'];
    expect(JSON.parse(await stack.murmur(dashed))).toMatchObject({ slug: 'second' });
    expect(await stack.json(['status', 'second'])).toMatchObject({ queued: ['one two', '--three -x'] });
    expect(await shown(stack, ['status', 'second'])).toContain('queued:     one two\n            --three -x');
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
    expect(await shown(stack, ['ls', '-a'])).toMatch(/^first {3}completed/m);
  }, 120_000);

  it('session watch prints the conversation, coloured on demand only', async () => {
    expect(await shown(stack, ['session', 'watch', 'first'])).toBe(
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

describe('kill', () => {
  it('prints a receipt, the same again, and as JSON', async () => {
    const receipt = await shown(stack, ['kill', 'second']);
    expect(receipt).toMatch(/^killed second\nAGENT +PHASE +MACHINE +STATE +COST\n/);
    expect(receipt).toMatch(
      new RegExp(`^/w/default/u/${ACCOUNT}/second +canceled +<vm> destroyed +snapshot kept +<?\\$0\\.0\\d$`, 'm'),
    );
    expect(await shown(stack, ['kill', 'second'])).toBe(receipt);
    expect(await stack.json(['kill', 'second'])).toMatchObject({
      slug: 'second',
      message: 'killed second',
      receipt: [{ phase: 'canceled', machine_state: 'destroyed' }],
    });
    expect(await shown(stack, ['status', 'second'])).toMatch(/^phase: +canceled\nreason: +killed by /m);
  }, 120_000);
});
