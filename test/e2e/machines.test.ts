// What is left of an agent that an operator has deleted from Temporal, or whose Temporal lost its database: seen with
// `machine ls`, ended with `machine rm`.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bash, machineOf, scripted, settled, statusOf } from './fixtures/agent.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';

interface Listed {
  readonly machines: readonly { readonly name: string; readonly state: string; readonly reason?: string }[];
}

describe('a machine whose agent Temporal does not know any more', () => {
  const stack = stackForFile();

  it('is kept until a person removes it, and its work with it', async () => {
    const prompt = scripted('Write.', bash('echo kept > note.txt'), { text: 'ok' });
    await stack.murmur(['spawn', 'deleted', prompt, '--model', 'fake']);
    await settled(stack, 'deleted');
    const [machine, { workflow }] = [await machineOf(stack, 'deleted'), await statusOf(stack, 'deleted')];
    const listed = async (): Promise<Listed> => await stack.json<Listed>(['machine', 'ls']);
    expect(await listed()).toMatchObject({ machines: [{ name: machine, state: 'owned' }] });
    const refused = await stack.run(['machine', 'rm', machine]);
    expect(refused).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('murmur kill') });

    await stack.murmur(['temporal', 'workflow', 'delete', '--yes', '--workflow-id', workflow]);
    await eventually('Temporal has forgotten the agent', async () => {
      const [found] = (await listed()).machines;
      return found?.state === 'orphaned' && found.reason === 'unknown_agent';
    });
    expect(await stack.murmur(['machine', 'rm', machine])).toMatch(
      new RegExp(`^removed ${machine}; (?:a last snapshot was taken and is kept|its last stored snapshot is kept)$`),
    );
    expect(await listed()).toMatchObject({ machines: [] });
    expect(await readdir(join(stack.home, 'machines'))).not.toContain(machine);
    expect(await statusOf(stack, 'deleted')).toMatchObject({
      phase: 'canceled',
      reason: expect.stringContaining('its machine was removed by'),
      vm: { state: 'gone' },
    });
  }, 180_000);

  it('is listed and can be removed as well after Temporal has lost its database', async () => {
    const prompt = scripted('Write.', bash('echo kept > note.txt'), { text: 'ok' });
    await stack.murmur(['spawn', 'lost', prompt, '--model', 'fake']);
    await settled(stack, 'lost');
    const machine = await machineOf(stack, 'lost');
    await stack.murmur(['down']);
    const temporal = join(stack.home, 'temporal');
    const database = (await readdir(temporal)).filter((name) => name.startsWith('temporal.db'));
    expect(database).not.toEqual([]);
    for (const name of database) await rm(join(temporal, name));
    await stack.murmur(['up']);
    expect(await stack.json<Listed>(['machine', 'ls'])).toMatchObject({
      machines: [{ name: machine, state: 'orphaned', reason: 'other_namespace' }],
    });
    // `down` has ended its runner.
    expect(await stack.murmur(['machine', 'rm', machine])).toBe(
      `removed ${machine}; its last stored snapshot is kept (no last snapshot: its runner did not answer)`,
    );
    expect(await stack.json<Listed>(['machine', 'ls'])).toEqual({ machines: [], unreachable: [] });
    expect(await readdir(join(stack.home, 'machines'))).not.toContain(machine);
  }, 180_000);
});
