import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});
beforeEach(() => {
  cli.calls.length = 0;
  cli.answer('queue_add', { body: { slug: 'fix-auth', message: 'follow-up sent to fix-auth' } });
  cli.answer('ls', { body: [] });
  cli.answer('status', { error: { code: 'NOT_FOUND', message: 'no agent' } });
  cli.answer('task_update', { error: { code: 'NOT_FOUND', message: 'no task' } });
  cli.answer('queue_strategy', { body: { slug: 'x', strategy: 'five' } });
});

describe('a command line', () => {
  it.each([
    [['queue', 'add', '--task', 'a', 'fix-auth', 'do', 'it']],
    [['queue', 'add', 'fix-auth', '--task', 'a', 'do', 'it']],
    [['queue', 'add', 'fix-auth', 'do', 'it', '--task', 'a']],
    [['queue', 'add', '-task', 'a', 'fix-auth', 'do', 'it']],
    [['queue', 'add', 'fix-auth', 'do', 'it', '--task=a']],
    [['queue', 'add', 'fix-auth', 'do', 'it', '-task=a']],
    [['-w', 'default', 'queue', 'add', 'fix-auth', 'do', 'it', '--task', 'a']],
    [['queue', 'add', '--task', 'a', '--', 'fix-auth', 'do', 'it']],
  ])('accepts flags in every position, with one dash or two: %j', async (argv) => {
    const { code } = await cli.run(argv);
    expect(code).toBe(0);
    expect(cli.lastInput()).toEqual({ slug: 'fix-auth', description: 'do it', tasks: ['a'], workspace: 'default' });
  });

  it('keeps repeated words in their order', async () => {
    await cli.run(['queue', 'add', 'fix-auth', 'the', 'cat', 'and', 'the', 'dog', 'and', 'the', 'end']);
    expect(cli.lastInput()['description']).toBe('the cat and the dog and the end');
  });

  it('does not change a quoted prompt, even one that begins with a dash', async () => {
    await cli.run(['queue', 'add', 'fix-auth', '- fix  this\n- and that']);
    expect(cli.lastInput()['description']).toBe('- fix  this\n- and that');
  });

  it('treats everything after -- as words', async () => {
    await cli.run(['queue', 'add', 'fix-auth', '--', '--json', '-w']);
    expect(cli.lastInput()['description']).toBe('--json -w');
  });

  it('collects the values of a repeated flag without the words after it', async () => {
    await cli.run(['queue', 'add', '--task', 'one', '--task', 'two, and three', 'fix-auth', 'go']);
    expect(cli.lastInput()).toMatchObject({ tasks: ['one', 'two, and three'], slug: 'fix-auth', description: 'go' });
  });

  it('splits ids and enum values at commas', async () => {
    await cli.run(['task', 'update', 'fix-auth', '3', '--blocked-by', '1,2', '-s', 'in-progress']);
    expect(cli.lastInput()).toMatchObject({ task_id: '3', add_blocked_by: ['1', '2'], status: 'in_progress' });
    await cli.run(['status', 'fix-auth', '--timeline=phase,task-complete']);
    expect(cli.lastInput()['timeline']).toEqual(['phase', 'taskComplete']);
  });

  it('reads --timeline without a value as all types, not the slug as its value', async () => {
    await cli.run(['status', '--timeline', 'fix-auth']);
    expect(cli.lastInput()['slug']).toBe('fix-auth');
    expect(cli.lastInput()['timeline']).toContain('push');
  });

  it.each(['in-progress', 'in_progress', 'IN_PROGRESS', 'TASK_STATUS_IN_PROGRESS'])(
    'accepts the spelling %s of a value',
    async (status) => {
      await cli.run(['task', 'update', 'fix-auth', '3', '-s', status]);
      expect(String(cli.lastInput()['status']).toLowerCase()).toContain('in_progress');
    },
  );

  it.each([
    [['stauts', 'x'], 'unknown command "stauts"', 'did you mean `murmur status`?'],
    [['queue', 'ad', 'x'], 'unknown command "queue ad"', 'did you mean `murmur queue add`?'],
    [['interrupt', 'x'], 'unknown command "interrupt"', 'did you mean `murmur session interrupt`?'],
    [['ls', '--jsno'], 'unknown flag --jsno', 'did you mean --json?'],
    [['ls', '-wrkspace', 'x'], 'unknown flag -wrkspace', 'did you mean --workspace?'],
    [['queue', 'strategy', 'x', 'fvie'], 'invalid strategy "fvie"', 'did you mean five?'],
    [['wait', 'x', '--phase', 'idel'], 'unknown phase "idel"', 'did you mean idle?'],
    [['queue', 'add', 'x'], 'description required', 'murmur queue add --help'],
    [['spawn'], 'slug required', 'murmur spawn --help'],
    [['ls', 'extra'], 'unexpected argument "extra"', 'murmur ls --help'],
    [['ls', '--workspace'], '--workspace needs a value', 'murmur ls --help'],
    [['ls', '-w', 'a', '-w', 'b'], '--workspace is given twice', 'murmur ls --help'],
    [['ls', '--all=perhaps'], '--all takes no value', 'murmur ls --help'],
  ])('refuses %j with exit status 2 and a hint', async (argv, message, hint) => {
    const { code, stderr, stdout } = await cli.run(argv);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(`murmur: ${message}`);
    expect(stderr).toContain(hint);
    expect(cli.calls).toEqual([]);
  });

  it('suggests no command if none is similar', async () => {
    const { code, stderr } = await cli.run(['frobnicate']);
    expect(code).toBe(2);
    expect(stderr).toContain('`murmur --help` lists the commands');
  });
});

describe('help', () => {
  it('is shown without arguments and lists every command', async () => {
    const { code, stdout } = await cli.run([]);
    expect(code).toBe(0);
    for (const word of ['spawn', 'session', 'queue', 'task', 'up', 'down', 'doctor', 'completion', 'auth']) {
      expect(stdout).toMatch(new RegExp(`^  ${word} `, 'm'));
    }
  });

  it.each([
    [['queue', 'add', '--help']],
    [['queue', 'add', '-h']],
    [['help', 'queue', 'add']],
    [['queue', 'add', 'x', '--help']],
  ])('of a command has its usage and a working example: %j', async (argv) => {
    const { code, stdout } = await cli.run(argv);
    expect(code).toBe(0);
    expect(stdout).toContain('murmur queue add [flags] <slug> <description...>');
    expect(stdout).toContain('$ murmur queue add fix-auth "Also fix the session expiry logic"');
    expect(cli.calls).toEqual([]);
  });

  it('of a topic lists its commands', async () => {
    const { stdout } = await cli.run(['session']);
    expect(stdout).toContain('session watch');
    expect(stdout).toContain('session interrupt');
  });

  it('is not shown by --help after --', async () => {
    await cli.run(['queue', 'add', 'fix-auth', '--', '--help']);
    expect(cli.lastInput()['description']).toBe('--help');
  });
});

describe('a number that is not one', () => {
  it.each([
    [['spawn', 'a', 'x', '--max-cost', 'abc'], '--max-cost is "abc": it needs a number'],
    [['budget', 'a', 'abc'], 'usd is "abc": it needs a number'],
  ])('is named as it was typed: %j', async (argv, message) => {
    const { code, stderr } = await cli.run(argv);
    expect(code).toBe(2);
    expect(stderr).toContain(`murmur: ${message}`);
    expect(cli.calls).toEqual([]);
  });
});
