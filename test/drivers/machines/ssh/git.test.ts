// Git of agents on a host that is reached by ssh: our side's access serves them, and nothing of it comes to the host,
// whose network holds nothing but itself.
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { userCacheFolder } from '../../../../config/home.ts';
import type { OpenRequest } from '../../../../contract/wire/runner.ts';
import type { Machine, MachineProvider } from '../../../../drivers/machines/provider.ts';
import { createRunnerClient } from '../../../../drivers/machines/runner-client.ts';
import type { RunnerClient } from '../../../../drivers/machines/runner-client.ts';
import { startSshHost, sshHostProblem } from '../../../fixtures/ssh-machines/ssh-host.ts';
import type { SshHost } from '../../../fixtures/ssh-machines/ssh-host.ts';
import { PASSWORD, setup, withStore, WORK } from '../../../runner/broker/https-setup.ts';
import type { Setup } from '../../../runner/broker/https-setup.ts';
import { serveSshOrigin } from '../../../runner/broker/ssh-origin.ts';
import { bash, callerEnv, cleanUp, eventsUpTo, git, openRequest, runTurn } from '../../../runner/fixture.ts';
import { runnerBundle } from '../../../../worker/runner-bundle.ts';
import { sshMachines } from './ssh-machines.ts';

jest.setTimeout(120_000);

const LIMIT_MS = 60_000;
const missing = sshHostProblem();
if (missing !== undefined) console.warn(`no host is reached by ssh in these tests: ${missing}`);

(missing === undefined ? describe : describe.skip)('git of an agent on a host that is reached by ssh', () => {
  let host: SshHost;
  let bundle: string;
  const ends: (() => PromiseLike<void>)[] = [];
  beforeAll(async () => {
    [host, bundle] = await Promise.all([startSshHost(), runnerBundle(userCacheFolder(process.env))]);
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await cleanUp();
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  /** Our side, as one worker has it. */
  function ourSide({ folder }: Setup, more: Record<string, string> = {}): MachineProvider {
    const machines = join(folder, 'machines');
    mkdirSync(machines, { recursive: true });
    const under = sshMachines([host], 'builder', { machines, env: callerEnv(join(folder, 'caller'), more) });
    ends.push(() => under[Symbol.asyncDispose]());
    return under.provider;
  }

  interface There {
    readonly machine: Machine;
    readonly client: RunnerClient;
    readonly request: OpenRequest;
  }

  /** Opens the agent's session on a repository, as a worker does. */
  async function opened(provider: MachineProvider, cloneUrl: string, known?: OpenRequest): Promise<There> {
    const signal = AbortSignal.timeout(LIMIT_MS);
    await provider.create({ name: 'murmur-601', labels: {} }, { signal, requestId: 'murmur-601' });
    const machine = await provider.connect('murmur-601');
    const client = createRunnerClient(machine, await machine.ensureRunner(bundle, { use: 'reach' }));
    const repos = [
      { clone_url: cloneUrl, branch: 'work', ...(cloneUrl.startsWith('/') ? ({ real: true } as const) : {}) },
    ];
    const access = await machine.serveGit?.({ repos, grants: [] });
    if (access === undefined) throw new Error('the machine has no git of ours');
    const request = { ...(known ?? openRequest({ repos })), git: access };
    await client.open(request, signal);
    return { machine, client, request };
  }

  async function run({ client }: There, turn: string, command: string) {
    const { end_seq, outcome } = await runTurn({ client }, turn, bash(command));
    return { outcome, text: JSON.stringify(await eventsUpTo(client, end_seq)) };
  }

  it('reaches its repository with our password and no other one, and the password is nowhere on the host', async () => {
    const each = await setup();
    withStore(each);
    const there = await opened(ourSide(each), each.url);
    const other = each.url.replace('project.git', 'other.git');
    const looks = `git remote -v; git ls-remote ${other}; echo "other $?"; env; cat "$GIT_CONFIG_GLOBAL"`;
    const { outcome, text } = await run(there, 't1', `${WORK} && { ${looks}; }`);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect(await git(each.origin, 'log', '-1', '--format=%s %an', 'work')).toBe('work Jane');
    expect(await git(each.origin, 'fsck')).toBe('');
    expect(text).toContain(`origin\\t${each.url} (push)`);
    expect(text).toContain('other 128');
    expect(each.server.accepted.filter((line) => !line.includes('/project.git/'))).toEqual([]);
    const secrets = [PASSWORD, Buffer.from(`jane:${PASSWORD}`).toString('base64')];
    for (const secret of secrets) expect(text).not.toContain(secret);
    // As root: the files of the login and of the agent, and the environment of all that runs.
    const sought = secrets.map((secret) => `-e '${secret}'`).join(' ');
    const search = `grep -rlaF ${sought} /home /root /tmp /var/tmp; grep -laF ${sought} /proc/[0-9]*/environ`;
    await using root = sshMachines([host], 'root');
    const signal = AbortSignal.timeout(LIMIT_MS);
    await root.provider.create({ name: 'murmur-602', labels: {} }, { signal, requestId: 'murmur-602' });
    const looking = await root.provider.connect('murmur-602');
    const { stdout } = await looking.exec('sh', ['-c', search], { timeoutMs: LIMIT_MS });
    expect(stdout).toBe('');
  });

  it('reaches a repository with our ssh key, and another path on that host not', async () => {
    const each = await setup();
    const server = await serveSshOrigin(each.folder);
    const provider = ourSide(each, { GIT_SSH_COMMAND: server.command });
    const url = `ssh://${server.user}@127.0.0.1:${String(server.port)}${each.origin}`;
    const there = await opened(provider, url);
    const other = url.replace('project.git', 'other.git');
    const { outcome, text } = await run(there, 't1', `${WORK}; git ls-remote ${other}; echo "other $?"`);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect(text).toContain('other 128');
    expect(text).toContain('is not one of this agent');
  });

  it('reaches a repository that is a folder of ours', async () => {
    const each = await setup();
    const there = await opened(ourSide(each), each.origin);
    const { outcome } = await run(there, 't1', WORK);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect(await git(each.origin, 'log', '-1', '--format=%s %an', 'work')).toBe('work Jane');
  });

  it('goes on through the next worker, in the same session', async () => {
    const each = await setup();
    withStore(each);
    const before = ourSide(each);
    const { request } = await opened(before, each.url);
    await before[Symbol.asyncDispose]();
    const there = await opened(ourSide(each), each.url, request);
    const { outcome } = await run(there, 't1', WORK);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
  });

  it('is refused where our git has no access, with what to do', async () => {
    const each = await setup();
    await expect(opened(ourSide(each), each.url)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(`git has no access to ${each.url}`),
      hint: expect.stringContaining('as the user who runs Murmur'),
    });
  });
});
