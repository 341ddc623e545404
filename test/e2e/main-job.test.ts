// One agent from `spawn` to a pushed branch: watched, interrupted, stopped with the stack, and resumed.
import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import {
  bash,
  heldCommand,
  heldCommandBegan,
  machineOf,
  scripted,
  settled,
  spawnAgent,
  statusOf,
} from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { eventLog, expectWholeLog, ofType } from './fixtures/log.ts';
import { processesRunning, processesWith } from './fixtures/processes.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';
import { watchSession } from './fixtures/watch.ts';
import { PROGRAM } from '../fixtures/program-under-test.ts';

const stack = stackForFile();

describe('the main job', () => {
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
    await settled(stack, 'add-note');

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
    await settled(stack, 'add-note');
    const asked = stack.model.requests.findLast(({ prompt: text }) => text.includes('Now say hello'));
    expect(asked?.messages.map(({ text }) => text).join('\n')).toContain('Add a note.');
    expect((await statusOf(stack, 'add-note')).turn).toMatchObject({ number: 2, running: false });
  }, 120_000);

  it('session watch shows the session in order', async () => {
    const watch = execa(process.execPath, [PROGRAM, 'session', 'watch', 'add-note', '--json'], {
      env: stack.env,
      extendEnv: false,
      reject: false,
    });
    const lines: { id: number; event: { type: string } }[] = [];
    for await (const line of watch.iterable()) {
      lines.push(JSON.parse(line) as (typeof lines)[number]);
      // Leaving the loop awaits the program's end.
      if (lines.at(-1)?.event.type === 'turn_complete') watch.kill('SIGINT');
    }
    const ids = lines.map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const types = lines.map(({ event }) => event.type);
    for (const type of ['session_start', 'user_text', 'tool_use', 'tool_result', 'assistant_text', 'cost']) {
      expect(types).toContain(type);
    }
    expect(JSON.stringify(lines)).toContain('git push origin HEAD');
  }, 120_000);

  it('an interrupt ends the turn and its command and keeps the work; the queued follow-up runs next', async () => {
    const steps = [bash('echo kept > kept.txt'), bash(heldCommand('long')), { text: 'never said' }];
    const client = await clientOf(stack);
    await client.call('queue_add', { slug: 'add-note', description: scripted('Work long.', ...steps) });
    await heldCommandBegan(stack, 'add-note', 'long');
    const next = scripted('What is there?', bash('ls; cat kept.txt'), { text: 'ok' });
    await client.call('queue_add', { slug: 'add-note', description: next });
    expect(await stack.murmur(['session', 'interrupt', 'add-note'])).toBe('sent');
    expect(await settled(stack, 'add-note')).toMatchObject({ response: 'ok', turn: { number: 4 } });
    const after = stack.model.requests.findLast(({ prompt, step }) => prompt.includes('What is there?') && step === 1);
    expect(after?.toolResults[0]?.text).toContain('kept');
    const { exitCode } = await execa('pgrep', ['-f', 'long[.]gate'], { reject: false });
    expect(exitCode).toBe(1);
  }, 120_000);

  it('an unfinished checklist leads to at most three reminders; then the agent idles with a reason', async () => {
    await stack.murmur(['spawn', 'lazy', 'Say hello.', '--model', 'fake', '--task', 'Write the report']);
    await settled(stack, 'lazy');
    const status = await statusOf(stack, 'lazy');
    expect(status.phase).toBe('idle');
    expect(status.turn?.number).toBe(4);
    expect(status.reason).toContain('Write the report');
    expect(await stack.murmur(['task', 'ls', 'lazy'])).toMatch(/Write the report\s+pending/i);
    await stack.murmur(['task', 'update', 'lazy', '1', '-s', 'done']);
    expect(await stack.json(['task', 'ls', 'lazy'])).toMatchObject([{ id: '1', status: 'done' }]);
  }, 120_000);

  it('kill ends the agent with a receipt; a second kill has no effect, and messages are refused', async () => {
    // Processes with unique command lines: one in the command's group, one outside it.
    const [inGroup, astray] = [`7${String(process.pid)}`, `8${String(process.pid)}`];
    const prompt = scripted('Run.', bash(`(setsid env -i sleep ${astray} &) ; sleep ${inGroup}`), { text: 'x' });
    await stack.murmur(['spawn', 'doomed', '--model', 'fake', prompt]);
    for (const seconds of [inGroup, astray]) {
      await eventually(`sleep ${seconds}`, async () => (await processesRunning('sleep', seconds)).length === 1);
    }
    expect(await stack.murmur(['kill', 'doomed'])).toContain('killed doomed');
    expect((await statusOf(stack, 'doomed')).phase).toBe('canceled');
    await stack.runInProcess(['kill', 'doomed']);
    const refused = await stack.runInProcess(['queue', 'add', 'doomed', 'hello']);
    expect(refused.exitCode).toBe(6);
    expect(refused.stderr).toContain('canceled');
    for (const seconds of [inGroup, astray]) expect(await processesRunning('sleep', seconds)).toEqual([]);
    expect((await stack.runInProcess(['ls', '-q'])).stdout).not.toContain('doomed');
    expect((await stack.runInProcess(['ls', '-a', '-q'])).stdout).toContain('doomed');
    const again = await stack.runInProcess(['spawn', 'doomed', 'again']);
    expect(again.exitCode).toBe(6);
  }, 120_000);
});

describe('down and up', () => {
  /** The model's prompts, one per turn, in conversations that contain `text`. */
  function promptsAfter(text: string): readonly string[] {
    return stack.model.requests
      .filter(({ messages, step }) => step === 0 && messages.some((message) => message.text.includes(text)))
      .map(({ prompt }) => prompt);
  }

  // Processes with unique command lines; neither their group nor their environment leads back to the agent.
  const strayWords = ['sleep', `9${String(process.pid)}`] as const;
  const leaveStray = `(setsid env -i ${strayWords.join(' ')} &)`;

  it('after down and up, the cut-off turn continues with a note, and idle agents with their conversation', async () => {
    const turns = ofType(await eventLog(stack, 'add-note'), 'turn_complete').length;
    const command = `${leaveStray}; ${heldCommand('cut')}`;
    await spawnAgent(stack, 'cut', scripted('Job of cut.', bash(command), { text: 'cut is done' }));
    const release = await heldCommandBegan(stack, 'cut');
    expect(await processesRunning(...strayWords)).toHaveLength(1);
    const before = watchSession(stack, 'cut');
    await before.until('the command', ({ event }) => event.type === 'tool_use');
    await before.stop();

    await stack.murmur(['down']);
    expect(await processesWith(stack.home)).toEqual([]);
    expect(await processesRunning(...strayWords)).toEqual([]);
    expect(await stack.run(['status', 'cut'])).toMatchObject({ exitCode: 9 });

    await release();
    await stack.murmur(['up']);
    const after = watchSession(stack, 'cut', before.entries.at(-1)?.id);
    await settled(stack, 'cut');
    expect(await statusOf(stack, 'cut')).toMatchObject({ phase: 'idle', response: 'cut is done' });
    const [first, second, ...more] = promptsAfter('Job of cut.');
    expect(more).toEqual([]);
    expect(first).toContain('Job of cut.');
    expect(second).toContain('Murmur was stopped in the middle of your last turn');
    expect(second).toContain('> Job of cut.');

    // The log continues: a viewer resumes after its last event and misses nothing.
    const entries = await expectWholeLog(stack, 'cut');
    expect(ofType(entries, 'turn_complete').map(({ status }) => status)).toEqual(['cut_off', 'completed']);
    await after.until('the end', ({ event }) => event.type === 'turn_complete' && event.turn === 2);
    await after.stop();
    const session = entries.filter(({ source }) => source === 'runner').map(({ id }) => String(id));
    expect([...before.entries, ...after.entries].map(({ id }) => id)).toEqual(session);

    await stack.murmur(['queue', 'add', 'add-note', 'What', 'was', 'it?']);
    await settled(stack, 'add-note');
    const asked = stack.model.requests.findLast(({ prompt }) => prompt === 'What was it?');
    expect(asked?.messages.map(({ text }) => text).join('\n')).toContain('The note is pushed.');
    expect(ofType(await eventLog(stack, 'add-note'), 'turn_complete')).toHaveLength(turns + 1);
  }, 120_000);

  it('kill leaves no process, not even one outside the group and without the environment', async () => {
    const machine = await machineOf(stack, 'cut');
    expect(await processesRunning(...strayWords)).toHaveLength(1);
    await stack.murmur(['kill', 'cut']);
    expect(await processesRunning(...strayWords)).toEqual([]);
    expect(await processesWith(machine)).toEqual([]);
  }, 60_000);

  it('a sent message gets its own turn before the queue and survives clearing it; strategies batch the rest', async () => {
    const client = await clientOf(stack);
    const slug = 'add-note';
    const queue = (description: string) => client.call('queue_add', { slug, description });
    const send = (message: string) => client.call('session_send', { slug, message });
    const held = (name: string): string => scripted(`Hold for ${name}.`, bash(heldCommand(name)), { text: 'held' });
    await queue(held('ordered'));
    const first = await heldCommandBegan(stack, slug, 'ordered');
    await queue('never asked');
    await send('urgent');
    await client.call('clear_queue', { slug });
    await queue('alpha');
    await queue('beta');
    expect((await statusOf(stack, slug)).queued).toEqual(['urgent', 'alpha', 'beta']);
    await first();
    await settled(stack, slug);

    await client.call('queue_strategy', { slug, strategy: 'one' });
    await send(held('again'));
    const second = await heldCommandBegan(stack, slug, 'again');
    await queue('gamma');
    await queue('delta');
    await second();
    await settled(stack, slug);

    const prompts = promptsAfter('Hold for ordered.');
    expect(prompts.map((prompt) => /Hold for \w+|urgent|alpha|beta|gamma|delta|never/g.exec(prompt)?.[0])).toEqual([
      'Hold for ordered',
      'urgent',
      'alpha',
      'Hold for again',
      'gamma',
      'delta',
    ]);
    expect(prompts[1]).toBe('urgent');
    expect(prompts[2]).toMatch(/^Message 1 of 2, from \S+:\nalpha\n\nMessage 2 of 2, from \S+:\nbeta$/);
    expect(prompts.slice(4)).toEqual(['gamma', 'delta']);
  }, 120_000);

  it('a second down reports that nothing was running', async () => {
    await stack.murmur(['down']);
    expect(JSON.parse(await stack.murmur(['down', '--json']))).toEqual({ was_running: false });
    expect(await processesWith(stack.home)).toEqual([]);
  }, 60_000);
});
