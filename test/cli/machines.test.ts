// What `machine ls` and `machine rm` print.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { CliHarness } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});

const HOUR_AGO = new Date(Date.now() - 3_700_000).toISOString();
const AGENT = '/w/default/u/alice/fix-auth';
const NAME = 'murmur-0a1b2c3d';
const machine = (state: string, more: object = {}): object => ({ name: NAME, provider: 'local', state, ...more });
const listed = (machines: readonly object[], more: object = {}): object => ({
  machines,
  unreachable: [],
  ...more,
});

async function ls(body: object): Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }> {
  cli.answer('machine_ls', { body });
  return await cli.run(['machine', 'ls']);
}

it('ls prints a table, and why a machine is orphaned, in 80 columns', async () => {
  const machines = [
    machine('owned', { agent: AGENT, spawned_at: HOUR_AGO }),
    machine('orphaned', { provider: 'ssh', host: 'build-1', reason: 'unknown_agent', agent: AGENT }),
    machine('orphaned', { reason: 'label_mismatch' }),
    machine('orphaned', { reason: 'other_namespace' }),
  ];
  const { stdout, stderr, code } = await ls(listed(machines));
  expect(stdout).toBe(
    [
      'MACHINE          WHERE        STATE     AGE  AGENT',
      `${NAME}  local        owned     1h   ${AGENT}`,
      `${NAME}  ssh:build-1  orphaned       ${AGENT}`,
      `${NAME}  local        orphaned`,
      `${NAME}  local        orphaned`,
      '',
      `${NAME} is orphaned: neither Temporal nor a record knows its agent`,
      `${NAME} is orphaned: its name does not follow from its labels`,
      `${NAME} is orphaned: its agent may live in another Temporal namespace`,
      '',
    ].join('\n'),
  );
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(stderr).toBe('`murmur machine rm <name>` ends an orphaned machine\n');
  expect(code).toBe(0);
});

it('ls says what becomes of unowned machines', async () => {
  const { stderr } = await ls(listed([machine('unowned'), machine('pending')]));
  expect(stderr).toBe('the next sweep ends unowned machines\n');
});

it('ls says that there are no machines only when everything could be asked', async () => {
  expect(await ls(listed([]))).toMatchObject({ stdout: '', stderr: 'no machines\n' });
  const unreachable = [
    { provider: 'ssh', host: 'build-1', error: 'connection refused' },
    { provider: 'cloud', error: 'quota' },
  ];
  expect(await ls(listed([], { unreachable }))).toMatchObject({
    stdout: 'ssh:build-1 cannot be asked: connection refused\ncloud cannot be asked: quota\n',
    stderr: '',
  });
});

it('ls --json prints the answer as it is, and --developer asks for others', async () => {
  const body = listed([machine('owned')]);
  cli.answer('machine_ls', { body });
  const { stdout, stderr } = await cli.run(['machine', 'ls', '--developer', '*', '--json']);
  expect(JSON.parse(stdout)).toEqual(body);
  expect(stderr).toBe('');
  expect(cli.lastInput()).toMatchObject({ developer: '*' });
});

it('rm prints what was done, and an error with what to do', async () => {
  const body = { name: NAME, provider: 'local', message: `removed ${NAME}; done`, new_snapshot: false, problems: [] };
  cli.answer('machine_rm', { body });
  expect(await cli.run(['machine', 'rm', NAME])).toMatchObject({ code: 0, stdout: `removed ${NAME}; done\n` });
  expect(cli.lastInput()).toEqual({ name: NAME });
  cli.answer('machine_rm', {
    error: { code: 'FAILED_PRECONDITION', message: 'it is owned', hint: 'run `murmur kill a`' },
  });
  const { code, stderr } = await cli.run(['machine', 'rm', NAME]);
  expect(code).toBe(6);
  expect(stderr).toContain('run `murmur kill a`');
  expect((await cli.run(['machine', 'rm'])).code).toBe(2);
});

it('machine alone shows its commands', async () => {
  const { stdout } = await cli.run(['machine']);
  expect(stdout).toContain('machine ls');
  expect(stdout).toContain('machine rm');
});
