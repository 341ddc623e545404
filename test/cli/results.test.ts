import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliHarness, event } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});

const STATUS = {
  slug: 'fix-auth',
  workspace: 'default',
  account: 'jane',
  path: '/w/default/u/jane/fix-auth',
  workflow: 'w/default/u/jane/fix-auth',
  phase: 'idle',
  vm: { name: 'murmur-0a1b2c3d', provider: 'local', isolation: 'namespaces', state: 'running' },
  queued: [],
  progress: '[tool] Bash(npm test)',
  progress_at: new Date(Date.now() - 4_000).toISOString(),
  response: 'Done.\nTwo lines.',
  branches: [{ repo: 'r', branch: 'murmur/x', head: '0123456789', pushed: true, dirty_files: 0 }],
  commits: 2,
  prs: [],
  cost: { total_usd: 0.05, by_model: {} },
  tasks: { total: 2, open: 1 },
  pending_input: false,
};

describe('results for people', () => {
  it.each([
    [['session', 'send', 'a', 'hi'], 'session_send', { slug: 'a', message: 'x' }, 'sent\n'],
    [['session', 'interrupt', 'a'], 'interrupt', { slug: 'a', message: 'x' }, 'sent\n'],
    [['session', 'stop', 'a'], 'session_stop', { slug: 'a', message: 'x' }, 'sent\n'],
    [['queue', 'add', 'a', 'hi'], 'queue_add', { slug: 'a', message: 'x' }, 'Follow-up sent to a\n'],
    [['queue', 'clear', 'a'], 'clear_queue', { cleared: 3 }, 'cleared 3\n'],
    [
      ['queue', 'strategy', 'a', 'one'],
      'queue_strategy',
      { slug: 'a', strategy: 'one' },
      'dequeue strategy set to one for a\n',
    ],
    [['notify', 'a', 'hi'], 'notify', { slug: 'a', message: 'notified a' }, 'notified a\n'],
    [
      ['budget', 'a', '5'],
      'budget',
      { slug: 'a', budget: { limit_usd: 5, used_usd: 1.2, granted_usd: 2 } },
      'budget of a: $1.20 of $5.00 used, $2.00 held by its children\n',
    ],
    [
      ['flight', 'approve', 'a', 'release'],
      'flight_approve',
      { node: 'release', approved_by: 'jane' },
      'approved release\n',
    ],
    [['flight', 'rerun', 'a', 'test'], 'flight_rerun', { nodes: ['test', 'ship'] }, 'running again: test, ship\n'],
    [['flight', 'items', 'a', 'module'], 'flight_items', { node: 'module', count: 2 }, '2 items for module\n'],
    [['task', 'update', 'a', '1', '-s', 'done'], 'task_update', { id: '1', subject: 'S', status: 'done' }, '1 done\n'],
    [['auth', 'token', 'revoke', 't1'], 'auth_token_revoke', { id: 't1', message: 'revoked t1' }, 'revoked t1\n'],
    [['task', 'create', 'a', 'Do', 'it'], 'task_create', { task_id: '7' }, '7\n'],
    [['task', 'ls', 'a'], 'task_list', [], 'no tasks\n'],
    [
      ['task', 'ls', 'a'],
      'task_list',
      [
        { id: '1', subject: 'Write tests', status: 'pending' },
        { id: '2', subject: 'Run', status: 'done', blocked_by: ['1'] },
      ],
      'ID  SUBJECT      STATUS   BLOCKED_BY\n1   Write tests  pending\n2   Run          done     1\n',
    ],
    [
      ['task', 'get', 'a', '1'],
      'task_get',
      { id: '1', subject: 'S', status: 'pending', blocks: ['2'] },
      'ID:      1\nSubject: S\nStatus:  pending\nBlocks:  2\n',
    ],
  ])('%j prints its answer', async (argv, operation, body, expected) => {
    cli.answer(operation, { body });
    const { code, stdout } = await cli.run(argv);
    expect(stdout).toBe(expected);
    expect(code).toBe(0);
  });

  it('spawn names the next commands', async () => {
    cli.answer('spawn', { body: { slug: 'fix', workspace: 'default', path: 'p', phase: 'starting', vm: 'm' } });
    const { stdout } = await cli.run(['spawn', 'fix', 'the', 'thing']);
    expect(stdout).toMatch(/^Spawned: fix\n\n  To get the status of the task: +murmur status fix\n/);
    expect(stdout).toContain('murmur queue add fix "additional context"');
  });

  it('status omits lines without a value', async () => {
    cli.answer('status', { body: STATUS });
    const { stdout } = await cli.run(['status', 'fix-auth']);
    expect(stdout).toMatch(/^workflow: +w\/default\/u\/jane\/fix-auth\nphase: +idle\n/);
    expect(stdout).toMatch(/vm: +murmur-0a1b2c3d \(local, namespaces\) \[running\]/);
    expect(stdout).toMatch(/progress: +\[tool\] Bash\(npm test\) \(\ds ago\)/);
    expect(stdout).toMatch(/tasks: +1 open of 2/);
    expect(stdout).toMatch(/response: +Done\.\n +Two lines\./);
    expect(stdout).toMatch(/branches: +murmur\/x at 01234567 \(pushed\)/);
    expect(stdout).toMatch(/cost: +\$0\.05/);
    expect(stdout).not.toMatch(/queued|purpose|parked|pr:/);
  });

  it('status reports that Temporal is open, and why', async () => {
    cli.answer('status', { body: { ...STATUS, temporal_open: 'no namespaces here' } });
    const { stdout } = await cli.run(['status', 'fix-auth']);
    expect(stdout).toMatch(
      /temporal: +open: agents and every other process of the host can use it without credentials \(no namespaces here\)/,
    );
  });

  it('status prints the limits in force on one line', async () => {
    const limits = { processes: 512, disk_mb: 20_480, uploads_mb: 1_000, messages_per_second: 10, queued_mb: 16 };
    cli.answer('status', { body: { ...STATUS, limits } });
    const { stdout } = await cli.run(['status', 'fix-auth']);
    expect(stdout).toMatch(/limits: +512 processes, 20480 MiB disk, 1000 MiB uploads, 10 messages\/s, 16 MiB queued\n/);
  });

  it('status names each child with its phase, its cost and its last response', async () => {
    const children = [
      { slug: 'api', phase: 'task-complete', phase_since: '', response: 'Done.\nTwo lines.', cost_usd: 0.5 },
      { slug: 'docs', phase: 'failed', phase_since: '', reason: 'no such repository', cost_usd: 0 },
      { slug: 'new', phase: 'starting', phase_since: '', cost_usd: 0 },
    ];
    cli.answer('status', { body: { ...STATUS, children } });
    const { stdout } = await cli.run(['status', 'fix-auth', '--children']);
    expect(stdout).toMatch(/children: +api \[task-complete\] \$0\.50 {2}Done\. Two lines\.\n/);
    expect(stdout).toMatch(/\n +docs \[failed\] {2}no such repository\n +new \[starting\]\n/);
  });

  it('ls prints a table, slugs with -q, and for an empty list a note on stderr', async () => {
    const agent = { slug: 'lead/kid', path: 'p', phase: 'running', vm: 'm', cost: 1.234 };
    cli.answer('ls', { body: [agent] });
    expect((await cli.run(['ls'])).stdout).toBe(
      'SLUG      PHASE    VM  PROGRESS  COST\nlead/kid  running  m             $1.23\n',
    );
    expect((await cli.run(['ls', '-q'])).stdout).toBe('lead/kid\n');
    cli.answer('ls', { body: [] });
    const empty = await cli.run(['ls']);
    expect(empty.stdout).toBe('');
    expect(empty.stderr).toContain('no living agents');
    expect((await cli.run(['ls', '--json'])).stdout).toBe('[]\n');
    await cli.run(['ls', '-A']);
    expect(cli.lastInput()['developer']).toBe('*');
  });

  it('turns prints blocks, and marks a running turn', async () => {
    cli.answer('turns', {
      body: [
        {
          turn: 1,
          id: 't1',
          started_at: '2026-01-02T03:04:05.678Z',
          ended_at: '2026-01-02T03:05:00Z',
          status: 'completed',
          description: 'Fix it',
          inputs: [],
          response: 'Fixed',
        },
        { turn: 2, id: 't2', started_at: '2026-01-02T03:06:00Z', description: 'More', inputs: [] },
      ],
    });
    expect((await cli.run(['turns', 'a'])).stdout).toBe(
      'turn 1  2026-01-02T03:04:05Z → 2026-01-02T03:05:00Z\n  description: Fix it\n  response:\n    Fixed\n\n' +
        'turn 2  2026-01-02T03:06:00Z → (in flight)\n  description: More\n',
    );
  });

  it('wait shows progress on stderr and the status on stdout', async () => {
    cli.answer('wait', {
      stream: event('progress', { phase: 'running', progress: '[text] thinking' }) + event('result', STATUS),
    });
    const { code, stderr, stdout } = await cli.run(['wait', 'fix-auth']);
    expect(code).toBe(0);
    expect(stderr).toContain('waiting until fix-auth needs attention …\nrunning  [text] thinking');
    expect(stdout).toMatch(/^workflow:/);
  });

  it('wait for several agents waits for all or for any, and prints one status after the other', async () => {
    cli.answer('wait', { stream: event('result', [STATUS, STATUS]) });
    const { stderr, stdout } = await cli.run(['wait', 'a', 'b', '--any', '--phase', 'idle']);
    expect(cli.lastInput()).toEqual({ slugs: ['a', 'b'], mode: 'any', phase: 'idle', workspace: 'default' });
    expect(stderr).toContain('waiting until any of a, b is idle …');
    expect(stdout.match(/^workflow:/gm)).toHaveLength(2);
    await cli.run(['wait', 'a', 'b', '--all']);
    expect(cli.lastInput()).toMatchObject({ slugs: ['a', 'b'] });
    expect(cli.lastInput()).not.toHaveProperty('mode');
    expect((await cli.run(['wait'])).stderr).toContain('slug required');
  });

  it('kill prints the receipt', async () => {
    const line = { path: '/w/d/u/j/a', phase: 'canceled', machine: 'm', machine_state: 'destroyed', cost_usd: 0.5 };
    cli.answer('kill', {
      stream: event('result', { slug: 'a', message: 'killed a', receipt: [line], cost_usd: 0.5 }),
    });
    const { stdout } = await cli.run(['kill', 'a']);
    expect(stdout).toMatch(/^killed a\n/);
    expect(stdout).toContain('/w/d/u/j/a  canceled  m destroyed');
  });

  it('version prints the client, the address and the server', async () => {
    cli.answer('version', {
      body: { server_version: '1.2.3', server_commit: 'abcd1234', api_host: '127.0.0.1:1', temporal: {} },
    });
    expect((await cli.run(['version'])).stdout).toBe(
      'Client: 9.8.7 (checkout)\nAPI:    127.0.0.1:1\nServer: 1.2.3 (abcd1234)\n',
    );
    const alone = await cli.run(['version', '--client']);
    expect(alone.stdout).toBe('Client: 9.8.7 (checkout)\n');
  });
});

describe('results for programs', () => {
  it.each([
    [['status', 'a'], 'status', STATUS],
    [['queue', 'add', 'a', 'b'], 'queue_add', { slug: 'a', message: 'm' }],
    [['task', 'ls', 'a'], 'task_list', []],
    [['auth'], 'auth', { account: 'a', workspace: 'w', token: { source: 's', created_at: 'c' } }],
  ])('%j --json prints the unchanged answer', async (argv, operation, body) => {
    cli.answer(operation, { body });
    const { stdout } = await cli.run([...argv, '--json']);
    expect(JSON.parse(stdout)).toEqual(body);
  });
});
