// What is killed comes back, and nothing is lost or done twice. Each test kills or freezes a real process.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StackChild } from '../../contract/stack.ts';
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
import { eventLog, expectWholeLog, journal, ofType } from './fixtures/log.ts';
import { agentProgram, isAlive, nothingLeft, processesWith, runnerOf } from './fixtures/processes.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';
import { pendingTurn, temporalOf } from './fixtures/temporal.ts';
import { watchSession } from './fixtures/watch.ts';

describe('survival', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await nothingLeft(stack);
  }, 120_000);

  /** Starts an agent and waits until its command runs; `release` lets the command end. */
  async function agentInMidTurn(slug: string) {
    const command = `echo once >> count.txt; ${heldCommand(slug)}; cat count.txt`;
    await spawnAgent(stack, slug, scripted(`Job of ${slug}.`, bash(command), { text: `${slug} is done` }));
    const release = await heldCommandBegan(stack, slug);
    const machine = await machineOf(stack, slug);
    return { release, machine, program: await agentProgram(machine) };
  }

  async function childPid(child: StackChild): Promise<number> {
    const identity = (await stack.record()).children[child];
    if (identity === undefined) throw new Error(`the stack has no ${child}`);
    return identity.pid;
  }

  /** Signals a process of the stack and waits until another one has taken its place. */
  async function replaced(child: StackChild, signal: NodeJS.Signals): Promise<void> {
    const before = await childPid(child);
    process.kill(before, signal);
    await eventually(`${child} is started again`, async () => {
      const record = await stack.record();
      return record.state === 'ready' && record.children[child]?.pid !== before;
    });
  }

  function killHard(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It went with its parent.
    }
  }

  function requestsOf(slug: string) {
    return stack.model.requests.filter(({ messages }) => messages.some(({ text }) => text.includes(`Job of ${slug}.`)));
  }

  /** The agent finishes in its first turn: its command has run once, the model was asked once a step, the log is whole. */
  async function finishesOnce(slug: string): Promise<void> {
    expect(await settled(stack, slug)).toMatchObject({
      phase: 'idle',
      response: `${slug} is done`,
      turn: { number: 1 },
    });
    expect(requestsOf(slug).map(({ step }) => step)).toEqual([0, 1]);
    expect(requestsOf(slug)[1]?.toolResults[0]?.text.match(/once/g)).toHaveLength(1);
    const entries = await expectWholeLog(stack, slug);
    expect(ofType(entries, 'turn_complete')).toMatchObject([{ status: 'completed', response: `${slug} is done` }]);
  }

  it('kill -9 of the worker: the agent program goes on, and the next worker re-attaches to its turn', async () => {
    const { release, machine, program } = await agentInMidTurn('kill-worker');
    await replaced('worker', 'SIGKILL');
    await release();
    await finishesOnce('kill-worker');
    expect(await agentProgram(machine)).toBe(program);
  }, 120_000);

  it('kill -9 of the API server: who watches a session comes back to it and is shown each event once', async () => {
    const { release } = await agentInMidTurn('kill-server');
    const watch = watchSession(stack, 'kill-server');
    await watch.until('the command', ({ event }) => event.type === 'tool_use');
    await replaced('server', 'SIGKILL');
    await release();
    await finishesOnce('kill-server');
    await watch.until('the end of the turn', ({ event }) => event.type === 'turn_complete');
    await watch.stop();
    const session = (await eventLog(stack, 'kill-server')).filter(({ source }) => source === 'runner');
    expect(watch.entries.map(({ id }) => id)).toEqual(session.map(({ id }) => String(id)));
    expect(watch.entries.map(({ event }) => event)).toEqual(session.map(({ event }) => event));
  }, 120_000);

  it('kill -9 of the Temporal server: the turn that ended meanwhile is taken up when it is back', async () => {
    const { release, machine, program } = await agentInMidTurn('kill-temporal');
    const before = await childPid('temporal');
    process.kill(before, 'SIGKILL');
    await release();
    await eventually('another Temporal server', async () => (await stack.record()).children.temporal?.pid !== before);
    await finishesOnce('kill-temporal');
    expect(await agentProgram(machine)).toBe(program);
  }, 120_000);

  it('SIGTERM to the worker, as a deploy sends it: the turn is handed over and not cancelled', async () => {
    const { release, machine, program } = await agentInMidTurn('deploy');
    await using temporal = await temporalOf(stack);
    const workflow = await temporal.agent('deploy');
    await replaced('worker', 'SIGTERM');
    const turn = await eventually('the next worker has the turn', async () => {
      const pending = await pendingTurn(workflow);
      return (pending?.attempt ?? 0) > 1 ? pending : undefined;
    });
    expect(turn.lastFailure).toBe('Handover');
    await release();
    await finishesOnce('deploy');
    expect(await agentProgram(machine)).toBe(program);
  }, 120_000);

  it('a worker that was frozen past its heartbeats thaws and writes nothing twice', async () => {
    const { release, machine } = await agentInMidTurn('frozen');
    await using temporal = await temporalOf(stack);
    const workflow = await temporal.agent('frozen');
    const worker = await childPid('worker');
    process.kill(worker, 'SIGSTOP');
    try {
      await eventually('Temporal gives up on the attempt', async () => {
        return ((await pendingTurn(workflow))?.attempt ?? 0) > 1;
      });
      await release();
      await eventually('the runner ends the turn', async () => {
        return ofType(await journal(stack, machine), 'turn_complete').length > 0;
      });
    } finally {
      process.kill(worker, 'SIGCONT');
    }
    await finishesOnce('frozen');
    expect(await childPid('worker')).toBe(worker);
  }, 120_000);

  it('kill -9 of the supervisor: commands still work, and the next `murmur up` takes everything over', async () => {
    const { release, machine, program } = await agentInMidTurn('kill-supervisor');
    const before = await stack.record();
    process.kill(before.supervisor.pid, 'SIGKILL');
    await eventually('the supervisor is gone', async () => !(await isAlive(before.supervisor.pid)));
    expect(await stack.json(['status', 'kill-supervisor'])).toMatchObject({ phase: 'running' });
    await stack.murmur(['up']);
    const { supervisor, children } = await stack.record();
    expect(supervisor.pid).not.toBe(before.supervisor.pid);
    for (const [name, { pid }] of Object.entries(before.children)) {
      // Adopted or replaced, but never a second one beside the first.
      if (children[name as StackChild]?.pid !== pid) expect(await isAlive(pid)).toBe(false);
    }
    await release();
    await finishesOnce('kill-supervisor');
    expect(await agentProgram(machine)).toBe(program);
  }, 120_000);

  const programs = {
    'agent program': ({ program }: { program: number }) => Promise.resolve(program),
    runner: ({ machine }: { machine: string }) => runnerOf(stack, machine),
  };
  for (const [what, pidOf] of Object.entries(programs)) {
    it(`kill -9 of the ${what}: the turn ends as crashed, and the session is resumed with a note of it`, async () => {
      const slug = `kill-${what.replace(' ', '-')}`;
      const agent = await agentInMidTurn(slug);
      process.kill(await pidOf(agent), 'SIGKILL');
      await eventually('the agent program is gone', async () => !(await isAlive(agent.program)));
      await agent.release();
      expect(await settled(stack, slug)).toMatchObject({
        phase: 'idle',
        response: `${slug} is done`,
        turn: { number: 2 },
      });

      const entries = await expectWholeLog(stack, slug);
      expect(ofType(entries, 'turn_complete').map(({ status }) => status)).toEqual(['crashed', 'completed']);
      expect(ofType(entries, 'session_start').map(({ resumed }) => resumed)).toEqual([false, true]);

      // The model has the conversation and is told what was cut off; what it had been asked before is not asked again.
      const [first, resumed, ...rest] = requestsOf(slug);
      expect(first).toMatchObject({ step: 0 });
      expect(resumed?.prompt).toContain('The agent program ended unexpectedly in the middle of your last turn');
      expect(resumed?.prompt).toContain(`> Job of ${slug}.`);
      expect(resumed?.messages[0]?.text).toContain(`Job of ${slug}.`);
      expect(JSON.stringify(resumed?.body['messages'])).toContain('echo once >> count.txt');
      expect(rest.map(({ step }) => step)).toEqual([1]);
    }, 120_000);
  }

  it('kill -9 of everything at once, as a power cut does it: the next `murmur up` carries on', async () => {
    const { release } = await agentInMidTurn('power-cut');
    const pids = (await processesWith(stack.home)).map((line) => Number.parseInt(line, 10));
    for (const pid of pids) killHard(pid);
    await nothingLeft(stack);
    await release();
    await stack.murmur(['up']);
    expect(await settled(stack, 'power-cut')).toMatchObject({ phase: 'idle', response: 'power-cut is done' });
    const entries = await expectWholeLog(stack, 'power-cut');
    expect(ofType(entries, 'turn_complete').map(({ status }) => status)).toEqual(['crashed', 'completed']);
    expect(requestsOf('power-cut').map(({ step }) => step)).toEqual([0, 0, 1]);
  }, 120_000);

  it('an agent program that crashes a fourth time in a row fails the agent', async () => {
    await stack.murmur(['spawn', 'crasher', '--model', 'fake', scripted('Crash.', { crash: true })]);
    await stack.murmur(['wait', 'crasher', '--phase', 'failed']);
    const { phase, reason } = await statusOf(stack, 'crasher');
    expect({ phase, reason }).toEqual({ phase: 'failed', reason: 'the agent program crashed 4 times in a row' });
    const ends = ofType(await eventLog(stack, 'crasher'), 'turn_complete');
    expect(ends.map(({ status }) => status)).toEqual(['crashed', 'crashed', 'crashed', 'crashed']);
  }, 120_000);
});
