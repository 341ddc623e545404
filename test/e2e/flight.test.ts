// Flights from the command line to their end, with the fake backend, because the tests are about the graph.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Operations } from '../../contract/operations/index.ts';
import type { OutputOf } from '../../contract/operation.ts';
import { bash, heldCommand, heldCommandBegan, scripted, statusOf } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { eventLog, expectWholeLog, ofType } from './fixtures/log.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';

const stack = stackForFile();
let flights: string;
beforeAll(async () => {
  // Outside a repository, so that agents start in an empty directory.
  flights = join(stack.directory, '.murmur', 'flights');
  await mkdir(flights, { recursive: true });
}, 180_000);

type Flight = OutputOf<Operations['flight_status']>;

/** The output of a successful command. */
async function run(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await stack.runInProcess(args, { cwd: stack.directory });
  expect([args, exitCode, exitCode === 0 ? '' : stderr]).toEqual([args, 0, '']);
  return stdout;
}

/** Resolves when the flight shows this state of a node. Over HTTP, because a command takes a process. */
async function untilNode(pilot: string, node: string, state: string): Promise<Flight> {
  const client = await clientOf(stack);
  return await eventually(`${node} is ${state}`, async () => {
    const flight = await client.call('flight_status', { slug: pilot });
    return flight.nodes.find(({ slug }) => slug === node)?.state === state && flight;
  });
}

/** Resolves when the agent of a node exists: the flight shows `running` when it has requested the start. */
async function started(slug: string): Promise<void> {
  await eventually('the agent', () => statusOf(stack, slug).catch(() => undefined));
}

describe('a flight', () => {
  it('runs from its file to the final answer, with a gate, a list from the pilot, and inputs', async () => {
    const approve = bash('murmur flight approve "/$(dirname "$MURMUR_WORKFLOW_ID")" build; true');
    const list = bash('murmur flight items check --item "Web UI" --item api');
    await writeFile(
      join(flights, 'ship.md'),
      `---
model: fake
max_concurrent: 2
---
# Ship it

${scripted('Be careful.', { text: 'Ready.' }, list, { text: 'Listed.' }, { text: 'All is shipped.' })}

## build
> gate: approve

${scripted('Build.', approve, { text: 'It is built.' })}

## check
> needs: build
> each: all parts

${scripted('Check {}.', { text: 'Checked {}.' })}

## report
> needs: build, check

Report.
`,
    );
    const spawn = ['spawn', '--flight', 'ship.md', '--flight-inputs', '{"version": "2.1.0"}'];
    expect(await stack.murmur(spawn, { cwd: stack.directory })).toContain('Spawned: flight-ship');
    await untilNode('flight-ship', 'build', 'needs-approval');
    // It tried to approve its own gate.
    const refused = ofType(await eventLog(stack, 'flight-ship/build'), 'tool_result').map(({ text }) => text);
    expect(refused.join()).toContain('agents are not allowed to call flight_approve');
    expect(await stack.murmur(['flight', 'approve', 'flight-ship', 'build'])).toBe('approved build');

    await untilNode('flight-ship', 'report', 'done');
    await eventually(
      'the final answer',
      async () => (await statusOf(stack, 'flight-ship')).response === 'All is shipped.',
    );
    const shown = await stack.murmur(['flight', 'status', 'flight-ship']);
    expect(shown).toMatch(/^state: +done$/m);
    expect(shown).toMatch(/^check +done? +check-web-ui +1 +Checked Web UI\.$/m);
    expect(shown).toMatch(/^ +done +check-api +1 +Checked api\.$/m);
    // The fake backend answers with the start of its prompt.
    expect(shown).toMatch(/^report +done +report +1 +ACK 1: Report\..*\[flight\] You are the agent `report`/m);
    const asked = ofType(await eventLog(stack, 'flight-ship/report'), 'user_text').map(({ text }) => text);
    expect(asked.join()).toContain('{"version":"2.1.0"}');
    expect(asked.join()).toMatch(/- `check` \(item Web UI\): Checked Web UI\./);
  }, 180_000);

  it('continues after a failure by a rerun, and ends with its pilot', async () => {
    await writeFile(
      join(flights, 'stuck.md'),
      `# Stuck\n## stuck\n${scripted('Hang.', { hang: true })}\n## after\n> needs: stuck\n\nx\n`,
    );
    await run('flight', 'run', 'stuck.md', '--model', 'fake');
    await untilNode('flight-stuck', 'stuck', 'running');
    await started('flight-stuck/stuck');
    await run('kill', 'flight-stuck/stuck');
    await untilNode('flight-stuck', 'after', 'blocked');
    await eventually('the pilot is told', async () =>
      ofType(await eventLog(stack, 'flight-stuck'), 'user_text').some(({ text }) => text.includes('has failed')),
    );
    expect(await stack.murmur(['flight', 'rerun', 'flight-stuck', 'stuck'])).toBe('running again: stuck');
    await untilNode('flight-stuck', 'stuck', 'running');
    await started('flight-stuck/stuck-2');
    expect(await run('kill', 'flight-stuck')).toMatch(/flight-stuck\/stuck-2 +canceled/);
    expect(await run('flight', 'status', 'flight-stuck')).toMatch(/^state: +ended$/m);
    const late = await stack.runInProcess(['flight', 'rerun', 'flight-stuck', 'stuck'], { cwd: stack.directory });
    expect([late.exitCode, late.stderr]).toEqual([6, expect.stringContaining('has ended')]);
  }, 180_000);

  it('survives kill -9 of the worker during a turn that another agent waits for: each model is called once', async () => {
    // In a repository, with the real agent program, because the test counts model calls.
    const inCheckout = join(stack.sample.checkout, '.murmur', 'flights');
    await mkdir(inCheckout, { recursive: true });
    const build = scripted('Job of build.', bash(heldCommand('build')), { text: 'It is built.' });
    await writeFile(
      join(inCheckout, 'survive.md'),
      `# Survive\n## build\n> model: sonnet\n\n${build}\n## report\n> needs: build\n\nJob of report.\n`,
    );
    await stack.murmur(['flight', 'run', 'survive.md', '--model', 'fake']);
    await started('flight-survive/build');
    const release = await heldCommandBegan(stack, 'flight-survive/build', 'build');
    const { worker } = (await stack.record()).children;
    if (worker === undefined) throw new Error('the stack has no worker');
    process.kill(worker.pid, 'SIGKILL');
    await eventually('another worker', async () => {
      const { state, children } = await stack.record();
      return state === 'ready' && children.worker !== undefined && children.worker.pid !== worker.pid;
    });
    await release();

    await untilNode('flight-survive', 'report', 'done');
    await eventually('the final message', async () => (await statusOf(stack, 'flight-survive')).turn?.number === 2);
    const shown = await run('flight', 'status', 'flight-survive');
    expect(shown).toMatch(/^state: +done$/m);
    expect(shown).toMatch(/^build +done +build +1 +It is built\.$/m);
    expect(shown).toMatch(/^report +done +report +1 +ACK /m);
    const asked = stack.model.requests.filter(({ messages }) => messages[0]?.text.includes('Job of build.'));
    expect(asked.map(({ step }) => step)).toEqual([0, 1]);
    // The journals of ended agents are deleted with their machines.
    for (const slug of ['flight-survive/build', 'flight-survive/report']) {
      const entries = await eventLog(stack, slug);
      expect(entries.map(({ id }) => id)).toEqual(entries.map((_, index) => index + 1));
      expect(ofType(entries, 'user_text')).toHaveLength(1);
      expect(ofType(entries, 'turn_complete')).toMatchObject([{ status: 'completed' }]);
    }
    const told = ofType(await expectWholeLog(stack, 'flight-survive'), 'user_text').map(({ text }) => text);
    expect(told).toEqual([expect.any(String), expect.stringContaining('All agents of the flight Survive are done')]);
  }, 180_000);

  it('without agents is done by its pilot alone', async () => {
    await writeFile(join(flights, 'alone.md'), `# Alone\n\n${scripted('Tidy up.', { text: 'Tidy.' })}\n`);
    await run('spawn', '--flight', 'alone.md', 'tidy', '--model', 'fake');
    await eventually('the work', async () => (await statusOf(stack, 'tidy')).response === 'Tidy.');
    const status = await stack.runInProcess(['flight', 'status', 'tidy'], { cwd: stack.directory });
    expect([status.exitCode, status.stderr]).toEqual([6, expect.stringContaining('pilots no flight')]);
  }, 120_000);
});

describe('a flight that cannot be run creates nothing', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    ['a mistake', { flight_source: '# A\n## a\n> need: b\n\nx\n' }, 'INVALID_ARGUMENT', 'a.md:3:3: unknown directive'],
    ['a cycle', { flight_source: '# A\n## a\n> needs: a\n\nx\n' }, 'INVALID_ARGUMENT', 'a.md:3:10: agent "a" waits'],
    ['no text', {}, 'FAILED_PRECONDITION', 'the API server cannot read the file'],
    [
      'inputs that are no object',
      { flight_source: '# A', flight_inputs: '[1]' },
      'INVALID_ARGUMENT',
      'needs an object',
    ],
    [
      'inputs that are no JSON',
      { flight_source: '# A', flight_inputs: '{"a' },
      'INVALID_ARGUMENT',
      'it is not valid JSON',
    ],
    [
      'too many inputs',
      { flight_source: '# A', flight_inputs: { a: 'x'.repeat(9_000) } },
      'INVALID_ARGUMENT',
      'the limit',
    ],
    ['a fan-out as well', { flight_source: '# A', each: 'x' }, 'INVALID_ARGUMENT', 'exclude each other'],
  ])('%s', async (_what, input, code, message) => {
    const client = await clientOf(stack);
    const before = await client.call('ls', { all: true });
    await expect(client.call('spawn', { flight: 'a.md', ...input })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect((await client.call('ls', { all: true })).map(({ slug }) => slug)).toEqual(before.map(({ slug }) => slug));
  });

  it('refuses inputs without a flight, from the command line', async () => {
    const result = await stack.runInProcess(['spawn', 'x', 'y', '--flight-inputs', '{}'], { cwd: stack.directory });
    expect([result.exitCode, result.stderr]).toEqual([
      2,
      expect.stringContaining('flight_inputs is only used with flight'),
    ]);
  });
});
