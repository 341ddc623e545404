// One agent from `spawn` to a pushed branch, from the outside.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { bash, heldCommand, heldCommandBegan, scripted, statusOf } from './fixtures/agent.ts';
import { startStack, type TestStack } from './fixtures/stack.ts';
import { PROGRAM } from '../fixtures/program-under-test.ts';

describe('the main job', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  }, 120_000);

  it('an agent clones, commits, pushes its branch and idles; follow-ups reach the same conversation', async () => {
    const prompt = scripted(
      'Add a note.',
      bash('echo note > note.txt && git add note.txt && git commit -m "Add a note"'),
      bash('git push origin HEAD'),
      { text: 'The note is pushed.' },
    );
    const spawned = await stack.murmur(['spawn', 'add-note', prompt, '--out', 'push', '--purpose', 'Add a note']);
    expect(spawned).toContain('Spawned: add-note');
    expect(spawned).toContain('murmur queue add add-note');
    await stack.murmur(['wait', 'add-note']);

    const status = await statusOf(stack, 'add-note');
    expect(status).toMatchObject({ phase: 'idle', response: 'The note is pushed.', commits: 1 });
    const branch = status.branches[0]?.branch ?? '';
    expect(branch).toMatch(/^murmur\/default\/[^/]+\/add-note$/);
    const { stdout } = await execa('git', ['log', '--format=%s', `${branch}`], { cwd: stack.sample.origin });
    expect(stdout.split('\n')[0]).toBe('Add a note');
    expect(status.cost.total_usd).toBeGreaterThan(0);
    const types = status.timeline?.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['phase', 'commit', 'push', 'taskComplete']));

    await stack.murmur(['queue', 'add', 'add-note', 'Now', 'say', 'hello']);
    await stack.murmur(['wait', 'add-note']);
    const asked = stack.model.requests.findLast(({ prompt: text }) => text.includes('Now say hello'));
    expect(asked?.messages.map(({ text }) => text).join('\n')).toContain('Add a note.');
    expect((await statusOf(stack, 'add-note')).turn).toMatchObject({ number: 2, running: false });
  }, 120_000);

  it('session watch shows the session in order and resumes after an event id', async () => {
    await stack.murmur(['spawn', 'watched', scripted('Look.', bash('echo seen-by-the-watcher'), { text: 'Looked.' })]);
    await stack.murmur(['wait', 'watched']);
    const watch = execa(process.execPath, [PROGRAM, 'session', 'watch', 'watched', '--json'], {
      env: stack.env,
      extendEnv: false,
      reject: false,
    });
    const lines: { id: number; event: { type: string } }[] = [];
    for await (const line of watch.iterable()) {
      lines.push(JSON.parse(line) as (typeof lines)[number]);
      // Leaving the loop waits for the program's end.
      if (lines.at(-1)?.event.type === 'turn_complete') watch.kill('SIGINT');
    }
    const ids = lines.map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const types = lines.map(({ event }) => event.type);
    for (const type of ['session_start', 'user_text', 'tool_use', 'tool_result', 'assistant_text', 'cost']) {
      expect(types).toContain(type);
    }
    expect(JSON.stringify(lines)).toContain('seen-by-the-watcher');
  }, 120_000);

  it('an interrupt ends the turn and its command, keeps the work, and what is queued runs next', async () => {
    await stack.murmur([
      'spawn',
      'long',
      scripted('Work long.', bash('echo kept > kept.txt'), bash(heldCommand('long')), { text: 'never said' }),
    ]);
    await heldCommandBegan(stack, 'long');
    await stack.murmur(['queue', 'add', 'long', scripted('What is there?', bash('ls; cat kept.txt'), { text: 'ok' })]);
    expect(await stack.murmur(['session', 'interrupt', 'long'])).toBe('sent');
    await stack.murmur(['wait', 'long']);
    const after = stack.model.requests.findLast(({ prompt, step }) => prompt.includes('What is there?') && step === 1);
    expect(after?.toolResults[0]?.text).toContain('kept');
    const { exitCode } = await execa('pgrep', ['-f', 'long[.]gate'], { reject: false });
    expect(exitCode).toBe(1);
  }, 120_000);

  it('an unfinished checklist brings reminders, three at most, then the agent idles and says why', async () => {
    await stack.murmur(['spawn', 'lazy', 'Say hello.', '--task', 'Write the report']);
    await stack.murmur(['wait', 'lazy']);
    const status = await statusOf(stack, 'lazy');
    expect(status.phase).toBe('idle');
    expect(status.turn?.number).toBe(4);
    expect(status.reason).toContain('Write the report');
    expect(await stack.murmur(['task', 'ls', 'lazy'])).toMatch(/Write the report\s+pending/i);
    await stack.murmur(['task', 'update', 'lazy', '1', '-s', 'done']);
    expect(await stack.json(['task', 'ls', 'lazy'])).toMatchObject([{ id: '1', status: 'done' }]);
  }, 120_000);

  it('kill ends the agent with a receipt, a second kill changes nothing, and messages are refused after it', async () => {
    await stack.murmur([
      'spawn',
      'doomed',
      scripted('Run.', bash('(setsid env -i sleep 4242 &) ; sleep 4241'), { text: 'x' }),
    ]);
    await stack.model.waitForRequest(({ prompt }) => prompt.includes('Run.'));
    expect(await stack.murmur(['kill', 'doomed'])).toContain('killed doomed');
    expect((await statusOf(stack, 'doomed')).phase).toBe('canceled');
    await stack.murmur(['kill', 'doomed']);
    const refused = await stack.run(['queue', 'add', 'doomed', 'hello']);
    expect(refused.exitCode).toBe(6);
    expect(refused.stderr).toContain('canceled');
    const { exitCode } = await execa('pgrep', ['-f', 'sleep 424[12]'], { reject: false });
    expect(exitCode).toBe(1);
    expect(await stack.murmur(['ls', '-q'])).not.toContain('doomed');
    expect(await stack.murmur(['ls', '-a', '-q'])).toContain('doomed');
    const again = await stack.run(['spawn', 'doomed', 'again']);
    expect(again.exitCode).toBe(6);
  }, 120_000);
});
