import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bash, callerEnv, cleanUp, eventsUpTo, git, makeFolder, makeOrigin, openRequest, runTurn } from '../fixture.ts';
import { startProcess } from '../runner-process.ts';
import { serveHttpOrigin } from './http-origin.ts';
import { serveSshOrigin, sshdProblem } from './ssh-origin.ts';

afterEach(cleanUp);

const PASSWORD = 'correct-horse-battery';
const COMMIT = 'echo "$RANDOM$$" > file && git add -A && git commit -qm work';

/** A caller whose git has the password in a store. */
function callerWithPassword(folder: string, port: number): Record<string, string> {
  const home = path.join(folder, 'caller');
  mkdirSync(home, { recursive: true });
  writeFileSync(
    path.join(home, '.gitconfig'),
    '[credential]\n\thelper = store\n[user]\n\tname = Jane\n\temail = jane@example.com\n',
  );
  writeFileSync(path.join(home, '.git-credentials'), `http://jane:${PASSWORD}@127.0.0.1%3a${port}\n`, { mode: 0o600 });
  return callerEnv(home);
}

async function httpSetup() {
  const folder = makeFolder();
  const origins = path.join(folder, 'origins');
  mkdirSync(origins);
  const origin = await makeOrigin(origins);
  await git(origin, 'config', 'http.receivepack', 'true');
  const server = await serveHttpOrigin(origins, 'jane', PASSWORD);
  const url = `http://127.0.0.1:${server.port}/project.git`;
  return { folder, origin, server, url };
}

describe('an origin that needs a password', () => {
  it("is cloned, pushed to and fetched from with the caller's credentials", async () => {
    const { folder, origin, server, url } = await httpSetup();
    const runner = await startProcess({ folder, env: callerWithPassword(folder, server.port) });
    await runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }] }));
    const { outcome } = await runTurn(runner, 't1', bash(`${COMMIT} && git push -q origin HEAD && git fetch -q`));
    expect(outcome.status).toBe('completed');
    expect(outcome.branches).toEqual([expect.objectContaining({ repo: url, branch: 'work', pushed: true })]);
    expect(outcome.pushes).toEqual([expect.objectContaining({ repo: url, branch: 'work', subject: 'work' })]);
    expect(await git(origin, 'log', '-1', '--format=%an <%ae>', 'work')).toBe('Jane <jane@example.com>');
    expect(server.accepted.some((request) => request.includes('git-receive-pack'))).toBe(true);
  }, 120_000);

  it('does not give git a password: git gets the reason, and the credential store does not change', async () => {
    const { folder, server, url } = await httpSetup();
    const env = callerWithPassword(folder, server.port);
    const store = path.join(folder, 'caller', '.git-credentials');
    writeFileSync(store, `${readFileSync(store, 'utf8')}https://jane:other-password@other.example\n`);
    const before = readFileSync(store, 'utf8');
    const runner = await startProcess({ folder, env });
    await runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }] }));
    const host = `host=127.0.0.1:${server.port}`;
    const commands = [
      `printf 'protocol=http\\n${host}\\npath=project.git\\n\\n' | git credential fill | base64`,
      "printf 'protocol=https\\nhost=other.example\\n\\n' | git credential fill | base64",
      `printf 'protocol=http\\n${host}\\nusername=jane\\n\\n' | git credential reject`,
      `printf 'protocol=http\\n${host}\\nusername=eve\\npassword=planted\\n\\n' | git credential approve`,
      'git fetch -q && cat $GIT_CONFIG_GLOBAL && echo done asking',
    ];
    const { end_seq } = await runTurn(runner, 't1', bash(commands.join('; ')));
    const events = JSON.stringify(await eventsUpTo(runner.client, end_seq));
    expect(events).toContain('murmur: no password is given to an agent');
    expect(events).toContain('done asking');
    expect(events).not.toMatch(/other-password|password=jane|GIT_PASSWORD/);
    for (const secret of [PASSWORD, Buffer.from(`jane:${PASSWORD}`).toString('base64')]) {
      expect(readFileSync(path.join(runner.paths.run, 'bin', 'gitconfig'), 'utf8')).not.toContain(secret);
    }
    expect(readFileSync(store, 'utf8')).toBe(before);
  }, 120_000);

  it('causes FAILED_PRECONDITION that names git and the host when the caller has no password', async () => {
    const { folder, url } = await httpSetup();
    const runner = await startProcess({ folder });
    const open = runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }] }));
    await expect(open).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(`git has no access to ${url}`),
    });
  }, 120_000);

  it('works with credentials in the URL, which never appear', async () => {
    const { folder, origin, server } = await httpSetup();
    const runner = await startProcess({ folder });
    const url = `http://jane:${PASSWORD}@127.0.0.1:${server.port}/project.git`;
    await runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }] }));
    const { outcome, end_seq } = await runTurn(
      runner,
      't1',
      bash(`${COMMIT} && git push -q origin HEAD && git remote -v && cat .git/config`),
    );
    expect(outcome.branches).toEqual([expect.objectContaining({ pushed: true })]);
    expect(await git(origin, 'log', '-1', '--format=%s', 'work')).toBe('work');
    expect(JSON.stringify([outcome, await eventsUpTo(runner.client, end_seq)])).not.toContain(PASSWORD);
  }, 120_000);
});

const problem = sshdProblem();
const whenSshd = problem === undefined ? describe : describe.skip;

whenSshd(`an origin that needs an ssh key${problem === undefined ? '' : ` (${problem})`}`, () => {
  async function sshSetup() {
    const folder = makeFolder();
    const origins = path.join(folder, "origins of 'it'");
    mkdirSync(origins);
    const origin = await makeOrigin(origins);
    const server = await serveSshOrigin(folder);
    const env = callerEnv(path.join(folder, 'caller'), { GIT_SSH_COMMAND: server.command });
    const url = `ssh://${server.user}@127.0.0.1:${server.port}${origin}`;
    return { folder, origin, server, env, url };
  }

  it('is cloned and pushed to with the key of the caller, which the agent does not have', async () => {
    const { folder, origin, env, url } = await sshSetup();
    const runner = await startProcess({ folder, env });
    await runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }] }));
    // A megabyte of random data: the relayed data is binary and does not fit into one write.
    const noise = 'head -c 1000000 /dev/urandom > noise';
    const command = `${noise} && ${COMMIT} && git push -q origin HEAD && git fetch -q && git ls-remote -q origin work`;
    const { outcome } = await runTurn(runner, 't1', bash(command));
    expect(outcome).toMatchObject({ status: 'completed', branches: [{ repo: url, branch: 'work', pushed: true }] });
    expect(await git(origin, 'log', '-1', '--format=%s', 'work')).toBe('work');
    expect(await git(origin, 'fsck')).toBe('');
  }, 120_000);

  it('runs only git there, and reports a refusal as ssh does', async () => {
    const { folder, server, env, url } = await sshSetup();
    const runner = await startProcess({ folder, env });
    await runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }] }));
    const commands = [
      `eval "$(git config core.sshCommand) -p ${server.port} ${server.user}@127.0.0.1 'echo intruder$((40+2))'"`,
      'echo "status $?"',
      'git ls-remote ssh://other.example/r; echo "status $?"',
      `git ls-remote "${url.replace('project.git', 'other.git')}"; echo "status $?"`,
    ];
    const { end_seq } = await runTurn(runner, 't1', bash(commands.join('; ')));
    const events = JSON.stringify(await eventsUpTo(runner.client, end_seq));
    expect(events).not.toContain('intruder42');
    expect(events).toContain('only git may run on the remote');
    expect(events).toContain("/r on other.example is not one of this agent's repositories");
    expect(events).toMatch(/other\.git on \w+@127\.0\.0\.1 port \d+ is not one of this agent's repositories/);
    expect(events).toContain('status 1');
    expect(events).toContain('status 128');
  }, 120_000);

  it('causes FAILED_PRECONDITION when the caller has no key for it', async () => {
    const { folder, env, url } = await sshSetup();
    const GIT_SSH_COMMAND = (env['GIT_SSH_COMMAND'] ?? '').replace(/-i '[^']*'/, '-i /dev/null -o BatchMode=yes');
    const runner = await startProcess({ folder, env: { ...env, GIT_SSH_COMMAND } });
    const open = runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }] }));
    await expect(open).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  }, 120_000);

  it('causes NOT_FOUND with its URL when the repository is missing', async () => {
    const { folder, env, url } = await sshSetup();
    const runner = await startProcess({ folder, env });
    const open = runner.client.open(openRequest({ repos: [{ clone_url: `${url}-gone`, branch: 'work' }] }));
    await expect(open).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(`${url}-gone`) });
  }, 120_000);
});
