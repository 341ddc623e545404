// Many agents: one per line, from standard input and over MCP, and 150 concurrent turns. The runners are real. The
// model is the fake backend in the runner, so that the load is Murmur's own.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { MurmurClient } from '../../client/index.ts';
import { spawnEach } from '../../client/each.ts';
import { scripted } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { journal, ofType } from './fixtures/log.ts';
import { processesWith } from './fixtures/processes.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';

/** More than the SDK's default of 100 activity slots, which turns would fill. */
const AGENTS = 150;
/** Interrupts to measure: one alone would be noise, and each costs a turn. */
const INTERRUPTS = 5;
/** Agents killed during all the turns. The others end with the stack, which takes a tenth of the time. */
const KILLS = 10;
/** Limit from the sending of an interrupt to the end of its turn, in milliseconds. */
const INTERRUPT_LIMIT_MS = 1_000;

const stack = stackForFile();
let client: MurmurClient;
beforeAll(async () => {
  client = await clientOf(stack);
}, 180_000);

/** Phases of all living agents, by slug. */
async function phases(): Promise<Record<string, string>> {
  return Object.fromEntries((await client.call('ls', {})).map(({ slug, phase }) => [slug, phase]));
}

describe('murmur each', () => {
  it('has a dry run, runs two agents at a time, and names the agents that could not be created', async () => {
    const hang = scripted('Audit {}.', { hang: true });
    await client.call('spawn', { slug: 'audit-taken', description: hang, model: 'fake' });
    const args = ['--model', 'fake', '--max-concurrent', '2', 'audit-{}', hang];
    const input = 'Auth\r\nTaken\r\n\r\nPay ments\r\nWeb/UI\r\n';

    const dry = await stack.run(['each', '--dry-run', ...args], { input });
    expect(dry.stdout).toContain(`audit-pay-ments  Audit Pay ments.`);
    expect(dry.stdout).toMatch(/\(3 agents\)$/);
    expect(Object.keys(await phases())).toEqual(['audit-taken']);

    const done = await stack.run(['each', ...args], { input });
    expect(done).toMatchObject({ exitCode: 1 });
    expect(done.stdout).toBe('audit-auth\naudit-pay-ments\naudit-web-ui\nSpawned 3/4 agents (1 failed)');
    expect(done.stderr).toContain('murmur each: spawn audit-taken: agent "/w/default/u/');
    expect(done.stderr).toMatch(/murmur: 1 spawn\(s\) failed$/);

    // All agents exist at once. The third waits for a slot.
    expect(Object.keys(await phases())).toEqual(['audit-auth', 'audit-pay-ments', 'audit-taken', 'audit-web-ui']);
    expect(await client.call('status', { slug: 'audit-web-ui' })).toMatchObject({
      phase: 'starting',
      reason: 'waiting for a slot',
      pending_input: true,
    });
    await client.wait({ slug: 'audit-pay-ments', phase: 'running' });
    await client.wait({ slug: 'audit-auth', phase: 'running' });
    expect((await phases())['audit-web-ui']).toBe('starting');

    // A waiting agent exists for spawns and messages.
    await expect(client.call('spawn', { slug: 'audit-web-ui', description: 'x' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await expect(client.call('queue_add', { slug: 'audit-web-ui', description: 'x' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('waiting for a slot'),
    });
    const ended = client.wait({ slug: 'audit-auth' });
    const running = client.wait({ slug: 'audit-web-ui', phase: 'running' });
    await client.call('kill', { slug: 'audit-auth' });
    expect(await ended).toMatchObject({ phase: 'canceled' });
    expect(await running).not.toHaveProperty('reason');
    for (const slug of ['audit-pay-ments', 'audit-web-ui', 'audit-taken']) await client.call('kill', { slug });
  }, 120_000);

  it('kills waiting agents: by name, and beneath a killed agent', async () => {
    const hang = scripted('Work.', { hang: true });
    await client.call('spawn', { slug: 'lead', description: hang, model: 'fake' });
    await client.wait({ slug: 'lead', phase: 'running' });
    const file = join(stack.directory, 'items.txt');
    await writeFile(file, 'one\ntwo\nthree\nfour\n');
    const input = { slug: 'lead/do-{}', description: hang.replace('Work', 'Work on {}'), each: file, model: 'fake' };
    // `murmur mcp` prepares the call in the same way.
    const { slugs, count } = await spawnEach(client, { ...input, max_concurrent: 1 } as never);
    expect({ slugs, count }).toEqual({
      slugs: ['lead/do-one', 'lead/do-two', 'lead/do-three', 'lead/do-four'],
      count: 4,
    });
    await client.wait({ slug: 'lead/do-one', phase: 'running' });

    const ended = client.wait({ slug: 'lead/do-three' });
    expect((await client.call('kill', { slug: 'lead/do-three' })).receipt).toMatchObject([
      { phase: 'canceled', machine_state: 'destroyed', cost_usd: 0 },
    ]);
    expect(await ended).toMatchObject({ phase: 'canceled', reason: expect.stringContaining('killed by ') });
    await expect(client.call('kill', { slug: 'lead/do-three' })).resolves.toMatchObject({
      receipt: [{ phase: 'canceled' }],
    });

    const { receipt } = await client.call('kill', { slug: 'lead' });
    expect(receipt.map(({ path }) => path.split('/').slice(5).join('/')).sort()).toEqual([
      'lead',
      'lead/do-four',
      'lead/do-one',
      'lead/do-two',
    ]);
    await eventually('nothing lives', async () => Object.keys(await phases()).length === 0);
    await expect(client.call('status', { slug: 'lead/do-two' })).resolves.toMatchObject({ phase: 'canceled' });
  }, 120_000);

  it.each([
    [{ items: [] }, 'no items given'],
    [{ items: ['a', 'a\0b'] }, 'item 2 given holds a NUL character'],
    [{ slug: 'a' }, 'slug "a" has no {}'],
    [{ description: 'do it' }, 'description "do it" has no {}'],
    [{ slug: '{}/kid' }, "has {} in its parent's path"],
    [{ slug: 'A-{}' }, 'slug "A-x" is not valid'],
    [{ max_concurrent: 0 }, 'max_concurrent is at least 1'],
  ])('%j creates nothing', async (wrong, problem) => {
    const input = { slug: 'a-{}', description: 'do {}', items: ['x'], ...wrong };
    await expect(client.call('each', input)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(problem),
    });
    expect(await phases()).toEqual({});
  });
});

describe('150 turns at once', () => {
  /** Milliseconds from sending the interrupt to the end of the turn, by the event's own time. */
  async function interrupt(slug: string): Promise<number> {
    const sent = Date.now();
    await client.call('interrupt', { slug });
    for await (const { at, event } of client.stream(
      'session_watch',
      { slug },
      { signal: AbortSignal.timeout(60_000) },
    )) {
      if (event.type !== 'turn_complete') continue;
      expect(event.status).toBe('interrupted');
      return Date.parse(at) - sent;
    }
    throw new Error(`the session of ${slug} ended without the end of its turn`);
  }

  it('an interrupt ends its turn within a second; neither a kill nor down leaves a process', async () => {
    const slugs = Array.from({ length: AGENTS }, (_, index) => `agent-${String(index)}`);
    const description = scripted('Work for ever.', { hang: true });
    const machines = await Promise.all(
      slugs.map(async (slug) => (await client.call('spawn', { slug, description, model: 'fake' })).vm),
    );
    // One after the other: none ends, and concurrent requests would take processor time from them.
    for (const [index, machine] of machines.entries()) {
      const began = async () => ofType(await journal(stack, machine).catch(() => []), 'user_text').length === 1;
      await eventually(`turn ${String(index + 1)} of ${String(AGENTS)} runs`, began, 240_000);
    }
    const running = (await client.call('ls', {})).filter(({ phase }) => phase === 'running');
    expect(running).toHaveLength(AGENTS);

    const taken: number[] = [];
    for (const slug of slugs.slice(-INTERRUPTS)) taken.push(await interrupt(slug));
    taken.sort((one, other) => one - other);
    console.log(`interrupts with ${String(AGENTS)} turns at once took ${taken.join(', ')} ms`);
    expect(taken[Math.floor(INTERRUPTS / 2)]).toBeLessThanOrEqual(INTERRUPT_LIMIT_MS);

    const killed = await Promise.all(slugs.slice(0, KILLS).map((slug) => client.call('kill', { slug })));
    expect(killed.flatMap(({ receipt }) => receipt.map((line) => line.machine_state))).toEqual(
      killed.map(() => 'destroyed'),
    );
    for (const machine of machines.slice(0, KILLS)) expect(await processesWith(machine)).toEqual([]);
    expect(await client.call('ls', {})).toHaveLength(AGENTS - KILLS);

    await stack.murmur(['down']);
    expect(await processesWith(stack.home)).toEqual([]);
  }, 420_000);
});
