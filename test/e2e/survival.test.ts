// Killed processes are restarted, and no work is lost or done twice. Each test kills or freezes a real process.
import { describe, expect, it } from '@jest/globals';
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
import { clientOf } from './fixtures/client.ts';
import { eventLog, expectWholeLog, journal, ofType } from './fixtures/log.ts';
import { agentProgram, isAlive, nothingLeft, processesWith, runnerOf } from './fixtures/processes.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';
import { pendingTurn, temporalOf } from './fixtures/temporal.ts';
import { watchSession } from './fixtures/watch.ts';

describe('survival', () => {
  const stack = stackForFile();

  /** An idle agent for the next test. After a failed test, the next one gets another agent. */
  let atRest: string | undefined;
  let agents = 0;

  /** Starts a turn with this job and waits until its command runs. `release` lets the command end. */
  async function agentInMidTurn(job: string) {
    const command = `echo once >> ${job}.txt; ${heldCommand(job)}; cat ${job}.txt`;
    const prompt = scripted(`Job of ${job}.`, bash(command), { text: `${job} is done` });
    const before = { requests: stack.model.requests.length, entries: 0, turns: 0 };
    let slug = atRest;
    atRest = undefined;
    if (slug === undefined) {
      slug = `survivor-${String((agents += 1))}`;
      await spawnAgent(stack, slug, prompt);
    } else {
      before.entries = (await eventLog(stack, slug)).length;
      before.turns = (await statusOf(stack, slug)).turn?.number ?? 0;
      await (await clientOf(stack)).call('queue_add', { slug, description: prompt });
    }
    const release = await heldCommandBegan(stack, slug, job);
    const machine = await machineOf(stack, slug);
    return { job, slug, before, release, machine, program: await agentProgram(machine) };
  }

  type Agent = Awaited<ReturnType<typeof agentInMidTurn>>;

  async function childPid(child: StackChild): Promise<number> {
    const identity = (await stack.record()).children[child];
    if (identity === undefined) throw new Error(`the stack has no ${child}`);
    return identity.pid;
  }

  /** Signals a process of the stack and waits until another one has replaced it. */
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
      // It ended with its parent.
    }
  }

  /** The model's requests since the start of the turn; there is one agent at a time. */
  function requestsSince({ before }: Agent) {
    return stack.model.requests.slice(before.requests);
  }

  /** Resolves when the job is done in its nth turn, with the log since the start of the turn. Checks the whole log. */
  async function finishes(agent: Agent, turns: number) {
    const { before, job, slug } = agent;
    const number = before.turns + turns;
    expect(await settled(stack, slug)).toMatchObject({ phase: 'idle', response: `${job} is done`, turn: { number } });
    const entries = await expectWholeLog(stack, slug);
    return entries.slice(before.entries);
  }

  /** Expects the job to end in its first turn: one run of the command, one request per step, a complete log. */
  async function finishesOnce(agent: Agent): Promise<void> {
    const entries = await finishes(agent, 1);
    const requests = requestsSince(agent);
    expect(requests.map(({ step }) => step)).toEqual([0, 1]);
    expect(requests[1]?.toolResults[0]?.text.match(/once/g)).toHaveLength(1);
    const response = `${agent.job} is done`;
    expect(ofType(entries, 'turn_complete')).toMatchObject([{ status: 'completed', response }]);
    expect(await agentProgram(agent.machine)).toBe(agent.program);
    atRest = agent.slug;
  }

  it('kill -9 of the worker: the agent program continues, and the next worker re-attaches to its turn', async () => {
    const agent = await agentInMidTurn('kill-worker');
    await replaced('worker', 'SIGKILL');
    await agent.release();
    await finishesOnce(agent);
  }, 120_000);

  it('kill -9 of the API server: viewers of a session reconnect and get each event once', async () => {
    const agent = await agentInMidTurn('kill-server');
    const watch = watchSession(stack, agent.slug);
    await watch.until('the command', ({ event, id }) => event.type === 'tool_use' && Number(id) > agent.before.entries);
    await replaced('server', 'SIGKILL');
    await agent.release();
    await finishesOnce(agent);
    const turn = agent.before.turns + 1;
    await watch.until('its end', ({ event }) => event.type === 'turn_complete' && event.turn === turn);
    await watch.stop();
    const session = (await eventLog(stack, agent.slug)).filter(({ source }) => source === 'runner');
    expect(watch.entries.map(({ id }) => id)).toEqual(session.map(({ id }) => String(id)));
    expect(watch.entries.map(({ event }) => event)).toEqual(session.map(({ event }) => event));
  }, 120_000);

  it('kill -9 of the Temporal server: a turn that ended meanwhile is picked up when it is back', async () => {
    const agent = await agentInMidTurn('kill-temporal');
    const before = await childPid('temporal');
    process.kill(before, 'SIGKILL');
    await agent.release();
    await eventually('another Temporal server', async () => (await stack.record()).children.temporal?.pid !== before);
    await finishesOnce(agent);
  }, 120_000);

  it('SIGTERM to the worker, as in a deploy: the turn is handed over and not cancelled', async () => {
    const agent = await agentInMidTurn('deploy');
    await using temporal = await temporalOf(stack);
    const workflow = await temporal.agent(agent.slug);
    await replaced('worker', 'SIGTERM');
    const turn = await eventually('the next worker has the turn', async () => {
      const pending = await pendingTurn(workflow);
      return (pending?.attempt ?? 0) > 1 ? pending : undefined;
    });
    expect(turn.lastFailure).toBe('Handover');
    await agent.release();
    await finishesOnce(agent);
  }, 120_000);

  it('a worker that was frozen beyond its heartbeat timeout writes nothing twice when it resumes', async () => {
    const agent = await agentInMidTurn('frozen');
    await using temporal = await temporalOf(stack);
    const workflow = await temporal.agent(agent.slug);
    const worker = await childPid('worker');
    process.kill(worker, 'SIGSTOP');
    try {
      await eventually('Temporal gives up on the attempt', async () => {
        return ((await pendingTurn(workflow))?.attempt ?? 0) > 1;
      });
      await agent.release();
      await eventually('the runner ends the turn', async () => {
        const ends = ofType(await journal(stack, agent.machine), 'turn_complete');
        return ends.some(({ turn }) => turn === agent.before.turns + 1);
      });
    } finally {
      process.kill(worker, 'SIGCONT');
    }
    await finishesOnce(agent);
    expect(await childPid('worker')).toBe(worker);
  }, 120_000);

  it('kill -9 of the supervisor: commands still work, and the next `murmur up` takes over', async () => {
    const agent = await agentInMidTurn('kill-supervisor');
    const before = await stack.record();
    process.kill(before.supervisor.pid, 'SIGKILL');
    await eventually('the supervisor is gone', async () => !(await isAlive(before.supervisor.pid)));
    expect(await stack.json(['status', agent.slug])).toMatchObject({ phase: 'running' });
    await stack.murmur(['up']);
    const { supervisor, children } = await stack.record();
    expect(supervisor.pid).not.toBe(before.supervisor.pid);
    for (const [name, { pid }] of Object.entries(before.children)) {
      // Never two processes of the same kind.
      if (children[name as StackChild]?.pid !== pid) expect(await isAlive(pid)).toBe(false);
    }
    await agent.release();
    await finishesOnce(agent);
  }, 120_000);

  const programs = {
    'agent program': ({ program }: { program: number }) => Promise.resolve(program),
    runner: ({ machine }: { machine: string }) => runnerOf(stack, machine),
  };
  for (const [what, pidOf] of Object.entries(programs)) {
    it(`kill -9 of the ${what}: the turn ends as crashed, and the session is resumed with a note`, async () => {
      const agent = await agentInMidTurn(`kill-${what.replace(' ', '-')}`);
      process.kill(await pidOf(agent), 'SIGKILL');
      await eventually('the agent program is gone', async () => !(await isAlive(agent.program)));
      await agent.release();

      const entries = await finishes(agent, 2);
      expect(ofType(entries, 'turn_complete').map(({ status }) => status)).toEqual(['crashed', 'completed']);
      expect(ofType(entries, 'session_start').at(-1)).toMatchObject({ resumed: true });

      // The model gets the conversation and a note on what was cut off; earlier prompts are not repeated.
      const [first, resumed, ...rest] = requestsSince(agent);
      expect(first).toMatchObject({ step: 0 });
      expect(resumed?.prompt).toContain('The agent program ended unexpectedly in the middle of your last turn');
      expect(resumed?.prompt).toContain(`> Job of ${agent.job}.`);
      const texts = resumed?.messages.map(({ text }) => text) ?? [];
      expect(texts.findIndex((text) => text.includes(`Job of ${agent.job}.`))).toBeLessThan(texts.length - 1);
      expect(JSON.stringify(resumed?.body['messages'])).toContain(`echo once >> ${agent.job}.txt`);
      expect(rest.map(({ step }) => step)).toEqual([1]);
      atRest = agent.slug;
    }, 120_000);
  }

  it('kill -9 of everything at once, as in a power cut: the next `murmur up` continues', async () => {
    const agent = await agentInMidTurn('power-cut');
    const pids = (await processesWith(stack.home)).map((line) => Number.parseInt(line, 10));
    for (const pid of pids) killHard(pid);
    await nothingLeft(stack);
    await agent.release();
    await stack.murmur(['up']);
    const entries = await finishes(agent, 2);
    expect(ofType(entries, 'turn_complete').map(({ status }) => status)).toEqual(['crashed', 'completed']);
    expect(requestsSince(agent).map(({ step }) => step)).toEqual([0, 0, 1]);
  }, 120_000);

  it('an agent program that crashes a fourth time in a row fails the agent', async () => {
    const client = await clientOf(stack);
    await client.call('spawn', { slug: 'crasher', model: 'fake', description: scripted('Crash.', { crash: true }) });
    await client.wait({ slug: 'crasher', phase: 'failed' });
    const { phase, reason } = await statusOf(stack, 'crasher');
    expect({ phase, reason }).toEqual({ phase: 'failed', reason: 'the agent program crashed 4 times in a row' });
    const ends = ofType(await eventLog(stack, 'crasher'), 'turn_complete');
    expect(ends.map(({ status }) => status)).toEqual(['crashed', 'crashed', 'crashed', 'crashed']);
  }, 120_000);
});
