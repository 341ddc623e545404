// One agent for each line: from standard input and over MCP, with the fake backend, since agents are what counts here.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MurmurClient } from '../../client/index.ts';
import { spawnEach } from '../../client/each.ts';
import { scripted } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { nothingLeft } from './fixtures/processes.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

let stack: TestStack;
let client: MurmurClient;
beforeAll(async () => {
  stack = await startStack();
  client = await clientOf(stack);
}, 180_000);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await nothingLeft(stack);
}, 180_000);

/** Phases of all living agents, by slug. */
async function phases(): Promise<Record<string, string>> {
  return Object.fromEntries((await client.call('ls', {})).map(({ slug, phase }) => [slug, phase]));
}

describe('murmur each', () => {
  it('shows what it would do, does it two at a time, and says what could not be done', async () => {
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

    // All exist at once; the third waits for one of the others.
    expect(Object.keys(await phases())).toEqual(['audit-auth', 'audit-pay-ments', 'audit-taken', 'audit-web-ui']);
    expect(await client.call('status', { slug: 'audit-web-ui' })).toMatchObject({
      phase: 'starting',
      reason: 'waiting for a slot',
      pending_input: true,
    });
    await client.wait({ slug: 'audit-pay-ments', phase: 'running' });
    await client.wait({ slug: 'audit-auth', phase: 'running' });
    expect((await phases())['audit-web-ui']).toBe('starting');

    // It is an agent like any other to those who would spawn it, and to those who would tell it something.
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

  it('kills what waits: by name, and beneath an agent that is killed', async () => {
    const hang = scripted('Work.', { hang: true });
    await client.call('spawn', { slug: 'lead', description: hang, model: 'fake' });
    await client.wait({ slug: 'lead', phase: 'running' });
    const file = join(stack.directory, 'items.txt');
    await writeFile(file, 'one\ntwo\nthree\nfour\n');
    const input = { slug: 'lead/do-{}', description: hang.replace('Work', 'Work on {}'), each: file, model: 'fake' };
    // `murmur mcp` calls the same half.
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
