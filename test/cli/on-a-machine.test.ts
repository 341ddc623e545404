// Commands that an agent runs on its machine.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliHarness } from './harness.ts';
import type { RunResult } from './in-process.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
  await mkdir(join(cli.home, '.murmur'));
  await writeFile(join(cli.home, '.murmur', 'murmur.yaml'), 'workspace: of-the-project\n');
});
afterAll(async () => {
  await cli.close();
});
beforeEach(() => {
  cli.calls.length = 0;
  for (const name of ['session_send', 'interrupt', 'session_stop'])
    cli.answer(name, { body: { slug: '', message: 'sent' } });
  cli.answer('task_create', { body: { task_id: '7' } });
  cli.answer('task_get', { error: { code: 'NOT_FOUND', message: 'no task' } });
  cli.answer('clear_queue', { body: { cleared: 0 } });
  cli.answer('turns', { body: [] });
  cli.answer('ls', { body: [] });
  cli.answer('status', { error: { code: 'NOT_FOUND', message: 'no agent "/w/a/u/b/lead/x"' } });
});

/** Runs a command as the agent `lead`. */
function asAgent(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return cli.run(argv, { env: { MURMUR_WORKFLOW_ID: 'w/a/u/b/lead', ...env } });
}

/** Inputs of the calls of one operation. */
function inputsOf(operation: string): readonly unknown[] {
  return cli.calls.filter((call) => call.operation === operation).map(({ input }) => input);
}

/** Only `kid` exists. */
function withChild(): void {
  cli.answer('status', { body: { slug: 'kid' } });
}

describe('without a slug', () => {
  it.each([
    [['turns'], 'turns', {}],
    [['session', 'interrupt'], 'interrupt', {}],
    [['session', 'stop'], 'session_stop', {}],
    [['queue', 'clear'], 'clear_queue', {}],
    [['task', 'get', '3'], 'task_get', { task_id: '3' }],
    [['task', 'create', 'Add a test'], 'task_create', { subject: 'Add a test' }],
    [['session', 'send', 'note to self'], 'session_send', { message: 'note to self' }],
  ])('%j addresses the agent itself', async (argv, operation, input) => {
    await asAgent(argv);
    expect(inputsOf(operation)).toEqual([input]);
  });

  it('a person gets the error that the slug is required', async () => {
    for (const argv of [['turns'], ['kill'], ['status'], ['session', 'send', 'hello']]) {
      const { code, stderr } = await cli.run(argv);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/slug required|message required/)]);
    }
  });

  it('an agent gets it too for operations on other agents', async () => {
    expect(await asAgent(['spawn'])).toMatchObject({ code: 2, stderr: expect.stringContaining('slug required') });
    for (const command of [['queue', 'add'], ['notify']])
      expect(await asAgent([...command, 'kid'])).toMatchObject({ code: 2 });
    expect(await asAgent(['session', 'send'])).toMatchObject({ code: 2, stderr: expect.stringContaining('message') });
    expect(cli.calls).toEqual([]);
  });

  it('wait names the agent itself', async () => {
    const { stderr } = await asAgent(['wait', '--phase', 'idle']);
    expect(stderr).toContain('waiting until self is idle');
    expect(inputsOf('wait')).toEqual([{ phase: 'idle' }]);
  });

  it('kill prints that it killed self', async () => {
    const result = { slug: 'self', message: 'killed self', receipt: [], cost_usd: 0 };
    cli.answer('kill', { stream: `event: result\ndata: ${JSON.stringify(result)}\n\n` });
    expect((await asAgent(['kill'])).stdout).toContain('killed self');
    expect(inputsOf('kill')).toEqual([{}]);
  });
});

describe('who the agent is', () => {
  it("is read from the machine's file where no variable says it", async () => {
    const file = join(cli.home, 'agent.json');
    await writeFile(file, JSON.stringify({ agent: 'w/a/u/b/lead', token: 't', api_url: cli.url }));
    const env = { MURMUR_API_URL: '', MURMUR_TOKEN: '', MURMUR_AGENT_FILE: file };
    expect(await cli.run(['turns'], { env })).toMatchObject({ code: 0 });
    expect(inputsOf('turns')).toEqual([{}]);
    const token = { source: 'tokens.json', created_at: '2026-01-01T00:00:00Z' };
    cli.answer('auth', { body: { account: 'b', workspace: 'a', token } });
    expect((await cli.run(['auth'], { env })).stderr).toContain(`token: ${file}`);
    const nobodys = { ...env, MURMUR_AGENT_FILE: join(cli.home, 'none.json') };
    expect(await cli.run(['turns'], { env: nobodys })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('slug required'),
    });
  });
});

describe('the first of several words', () => {
  it('is the slug of an existing child', async () => {
    withChild();
    await asAgent(['session', 'send', 'kid', 'look', 'again']);
    await asAgent(['task', 'create', 'kid', 'Add', 'a', 'test']);
    expect(inputsOf('session_send')).toEqual([{ slug: 'kid', message: 'look again' }]);
    expect(inputsOf('task_create')).toEqual([{ slug: 'kid', subject: 'Add a test' }]);
    expect(inputsOf('status')).toEqual([{ slug: 'kid' }, { slug: 'kid' }]);
  });

  it('is an absolute path, without a look-up', async () => {
    await asAgent(['session', 'send', '/w/a/u/b/other', 'look again']);
    expect(inputsOf('session_send')).toEqual([{ slug: '/w/a/u/b/other', message: 'look again' }]);
    expect(inputsOf('status')).toEqual([]);
  });

  it('is part of the message otherwise', async () => {
    await asAgent(['session', 'send', 'check', 'the', 'errors']);
    await asAgent(['session', 'send', 'Please', 'check']);
    expect(inputsOf('session_send')).toEqual([{ message: 'check the errors' }, { message: 'Please check' }]);
    // A word that cannot be a slug is not looked up.
    expect(inputsOf('status')).toEqual([{ slug: 'check' }]);
  });

  it('is part of the message after --, even if such an agent exists', async () => {
    withChild();
    await asAgent(['session', 'send', '--', 'kid', '--json', 'is', 'odd']);
    await asAgent(['session', 'send', 'kid', '--', '--json', 'is', 'odd']);
    expect(inputsOf('session_send')).toEqual([
      { message: 'kid --json is odd' },
      { slug: 'kid', message: '--json is odd' },
    ]);
  });

  it('leads to an error if the look-up fails', async () => {
    cli.answer('status', { error: { code: 'UNAUTHENTICATED', message: 'the token is not known' } });
    const { code, stderr } = await asAgent(['session', 'send', 'check', 'it']);
    expect([code, stderr]).toEqual([3, expect.stringContaining('the token is not known')]);
    expect(inputsOf('session_send')).toEqual([]);
  });
});

describe('the workspace', () => {
  it("is the agent's own, even if the project sets another", async () => {
    await asAgent(['ls'], { MURMUR_WORKSPACE: 'of-the-shell' });
    expect(cli.lastInput()).toEqual({});
    await cli.run(['ls']);
    expect(cli.lastInput()).toEqual({ workspace: 'of-the-project' });
  });

  it('is passed on if the command names it', async () => {
    await asAgent(['ls', '-w', 'another']);
    expect(cli.lastInput()).toEqual({ workspace: 'another' });
  });
});
