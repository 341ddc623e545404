// The runner with the real agent program and a scripted model.
import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startScriptedModel } from '../../demo/model/scripted-model.ts';
import type { ScriptedModel } from '../../demo/model/scripted-model.ts';
import { descendantsOf, listProcesses } from '../../runner/isolation/process-table.ts';
import {
  atEnd,
  bash,
  callerEnv,
  cleanUp,
  eventOf,
  eventsUpTo,
  git,
  isRunning,
  makeFolder,
  makeOrigin,
  openRequest,
  runTurn,
  script,
} from './fixture.ts';
import { startProcess } from './runner-process.ts';
import type { RunnerProcess } from './runner-process.ts';

afterEach(cleanUp);

const PROGRAMS = path.join(import.meta.dirname, '../../node_modules/.bin');

async function begin() {
  const folder = makeFolder();
  const origin = await makeOrigin(folder);
  const model = await startScriptedModel();
  atEnd(() => model.stop());
  const request = openRequest({
    backend: 'claude',
    repos: [{ clone_url: origin, branch: 'work' }],
    env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' },
    secret_names: ['ANTHROPIC_API_KEY'],
  });
  const env = callerEnv(path.join(folder, 'caller'), { PATH: `${PROGRAMS}:${process.env['PATH']}` });
  const runner = await startProcess({ folder, env });
  await runner.client.open(request);
  return { folder, origin, model, request, runner, env };
}

/** The agent program's process, as the target of a `kill -9` from outside. */
async function programOf({ child }: RunnerProcess): Promise<number> {
  const table = await listProcesses();
  const below = new Set(descendantsOf([child.pid ?? 0], table).map(({ pid }) => pid));
  const program = table.find(({ pid }) => below.has(pid) && isProgram(pid));
  if (program === undefined) throw new Error('the agent program does not run');
  return program.pid;
}

/** Whether it is the program: processes above it in the namespace only have its name later in their command line. */
function isProgram(pid: number): boolean {
  const [command = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\x00');
  return path.basename(command).startsWith('claude');
}

function asked(model: ScriptedModel): number {
  return model.requests.length;
}

describe('the runner with Claude Code', () => {
  it('assesses the real changes in a separate session that cannot write, and then continues', async () => {
    const { model, runner } = await begin();
    await runTurn(runner, 't1', bash('echo fixed > fix.txt && git add -A && git commit -qm "fix it"'));
    const verdict = { done: false, reason: 'No test.', missing: ['write a test'] };
    const prompt = `This is assessment 1. ${script({ verdict })}`;
    const reply = await runner.client.assess({ assess_id: 'a1', prompt }, AbortSignal.timeout(60_000));
    expect(reply).toMatchObject({ status: 'assessed', verdict });
    expect(reply.cost.usd).toBeGreaterThan(0);
    const question = model.requests.at(-1);
    expect(question?.prompt).toContain('+fixed');
    expect(question?.tools.filter((tool) => /^(Bash|Write|Edit)$/.test(tool))).toEqual([]);
    const { outcome } = await runTurn(runner, 't2', script({ text: 'still here' }));
    expect(outcome).toMatchObject({ status: 'completed', response: 'still here' });
    expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain('fix it');
  }, 120_000);

  it('pushes a change to origin, and resumes after a stop', async () => {
    const { folder, origin, request, runner, env } = await begin();
    const command = 'echo fixed > fix.txt && git add -A && git commit -qm "fix it" && git push -q origin HEAD';
    const { outcome, end_seq } = await runTurn(runner, 't1', bash(command));
    expect(outcome).toMatchObject({
      status: 'completed',
      response: 'done',
      files_modified: ['fix.txt'],
      commits: [{ subject: 'fix it' }],
      branches: [{ branch: 'work', pushed: true }],
    });
    expect(outcome.cost.usd).toBeGreaterThan(0);
    expect(await git(origin, 'log', '-1', '--format=%s', 'work')).toBe('fix it');
    const events = JSON.stringify(await eventsUpTo(runner.client, end_seq));
    expect(events).not.toContain('sk-ant-test');
    const snapshot = await runner.client.snapshot();
    expect(snapshot.files.some((file) => file.endsWith('.jsonl'))).toBe(true);
    await runner.client.stop({ status: 'cut_off' });
    const again = await startProcess({ folder, env });
    expect((await again.client.open(request)).resumed).toBe(true);
    expect((await runTurn(again, 't2', script({ text: 'still here' }))).outcome.response).toBe('still here');
  }, 120_000);

  it('ends a turn whose program was killed as crashed, and resumes the session in the next turn', async () => {
    const { model, runner } = await begin();
    await runner.client.turn({ turn_id: 't1', number: 1, prompt: script({ hang: true }), inputs: [] });
    await model.waitForRequest(({ endedAt }) => endedAt === undefined);
    const program = await programOf(runner);
    process.kill(program, 'SIGKILL');
    await eventOf(runner.client, (event) => event.type === 'turn_complete' && event.turn_id === 't1');
    const { outcome } = await runner.client.turn({ turn_id: 't1', number: 1, prompt: 'x', inputs: [] });
    expect(outcome?.status).toBe('crashed');
    expect(isRunning(program)).toBe(false);
    const before = asked(model);
    const next = await runTurn(runner, 't2', script({ text: 'resumed' }));
    expect(next.outcome).toMatchObject({ status: 'completed', response: 'resumed' });
    expect(asked(model)).toBe(before + 1);
  }, 120_000);

  it('is interrupted during a command, and continues to work', async () => {
    const { runner } = await begin();
    await runner.client.turn({ turn_id: 't1', number: 1, prompt: bash('echo kept > kept; sleep 4000'), inputs: [] });
    await eventOf(runner.client, (event) => event.type === 'tool_use');
    await runner.client.interrupt({ turn_id: 't1' });
    await eventOf(runner.client, (event) => event.type === 'turn_complete' && event.turn_id === 't1');
    const { outcome } = await runner.client.turn({ turn_id: 't1', number: 1, prompt: 'x', inputs: [] });
    expect(outcome?.status).toBe('interrupted');
    expect((await runTurn(runner, 't2', bash('true'))).outcome.status).toBe('completed');
  }, 120_000);
});
