import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './harness.ts';

let cli: CliHarness;
beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});
beforeEach(() => {
  cli.calls.length = 0;
  cli.answer('each', { body: { slugs: ['a-x', 'a-y'], count: 2, workspace: 'default', failed: [] } });
});

const REPO = ['--repo', 'https://h.example/x'];

describe('murmur each', () => {
  it('sends the lines of standard input with the templates and the flags of spawn', async () => {
    const result = await cli.run(
      ['each', ...REPO, '--max-concurrent', '3', '--model', 'fake', 'a-{}', 'Do {}', 'well', '--on-idle', 'terminate'],
      { stdin: 'x\r\n\r\ny y\r\n' },
    );
    expect(result).toMatchObject({ code: 0, stdout: 'a-x\na-y\nSpawned 2/2 agents\n' });
    expect(cli.lastInput()).toMatchObject({
      slug: 'a-{}',
      description: 'Do {} well',
      items: ['x', 'y y'],
      max_concurrent: 3,
      on_idle: 'terminate',
      repos: [{ clone_url: 'https://h.example/x' }],
    });
  });

  it.each([
    [['-d', '\\0'], 'x\ny\0z\0', ['x\ny', 'z']],
    [['--delimiter', ','], 'x,y', ['x', 'y']],
  ])('accepts other delimiters: %j', async (flags, stdin, items) => {
    await cli.run(['each', ...REPO, ...flags, 'a-{}', 'Do {}'], { stdin });
    expect(cli.lastInput()).toMatchObject({ items });
  });

  it.each([
    [[], '\n', 'no items on stdin'],
    [[], 'x\0y', 'item 1 on stdin holds a NUL character'],
    [['-e', 'TOKEN=-'], 'x', 'standard input holds the items, not a secret'],
    [['-d', ''], 'x', 'the delimiter is empty'],
  ])('%j with %j is refused without a call', async (flags, stdin, problem) => {
    const { code, stderr } = await cli.run(['each', ...REPO, ...flags, 'a-{}', 'Do {}'], { stdin });
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
    expect(cli.calls).toEqual([]);
  });

  it('names every item without an agent, and exits with 1', async () => {
    const failed = [
      { slug: 'a-y', item: 'y', code: 'ALREADY_EXISTS', message: 'agent "/w/d/u/j/a-y" is already running' },
      { slug: 'a-z', item: 'z', code: 'FAILED_PRECONDITION', message: 'agent "/w/d/u/j/a-z" has ended' },
    ];
    const body = { slugs: ['a-x'], count: 1, workspace: 'default', failed };
    cli.answer('each', { body });
    const result = await cli.run(['each', ...REPO, 'a-{}', 'Do {}'], { stdin: 'x\ny\nz' });
    expect(result).toMatchObject({ code: 1, stdout: 'a-x\nSpawned 1/3 agents (2 failed)\n' });
    expect(result.stderr).toContain(
      'murmur each: spawn a-y: agent "/w/d/u/j/a-y" is already running\n' +
        'murmur each: spawn a-z: agent "/w/d/u/j/a-z" has ended\nmurmur: 2 spawn(s) failed\n',
    );
    const asJson = await cli.run(['each', '--json', ...REPO, 'a-{}', 'Do {}'], { stdin: 'x\ny\nz' });
    expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([1, body]);
  });

  it('a dry run shows the agents that would be created', async () => {
    const body = { slugs: ['a-x', 'a-yy'], count: 2, workspace: 'd', failed: [], descriptions: ['Do x', 'Do y\ny'] };
    cli.answer('each', { body });
    const { stdout } = await cli.run(['each', '--dry-run', ...REPO, 'a-{}', 'Do {}'], { stdin: 'x\ny\ny' });
    expect(stdout).toBe('a-x   Do x\na-yy  Do y y\n(2 agents)\n');
    expect(cli.lastInput()).toMatchObject({ dry_run: true });
  });
});

describe('spawn --each', () => {
  it('reads the items from a local file', async () => {
    const file = join(cli.home, 'items.txt');
    writeFileSync(file, 'x\ny\n');
    const { code, stdout } = await cli.run(['spawn', ...REPO, '--each', file, 'a-{}', 'Do {}']);
    expect([code, stdout]).toEqual([0, 'a-x\na-y\nSpawned 2/2 agents\n']);
    expect(cli.calls.map(({ operation }) => operation)).toEqual(['each']);
    expect(cli.lastInput()).toMatchObject({ slug: 'a-{}', description: 'Do {}', items: ['x', 'y'] });
    expect(cli.lastInput()).not.toHaveProperty('each');
  });

  it('names a file that it cannot read', async () => {
    const { code, stderr } = await cli.run(['spawn', ...REPO, '--each', '/no/such/file', 'a-{}', 'Do {}']);
    expect([code, stderr]).toEqual([4, expect.stringContaining('no file "/no/such/file"')]);
    expect((await cli.run(['spawn', ...REPO, '--each', cli.home, 'a-{}', 'Do {}'])).stderr).toContain('EISDIR');
    expect(cli.calls).toEqual([]);
  });
});
