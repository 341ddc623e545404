// What the caller's git does when it clones for an agent.
import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { inspect } from 'node:util';
import type { RepoSpec } from '../../../contract/wire/agent.ts';
import { serveHttpOrigin } from '../broker/http-origin.ts';
import {
  atEnd,
  bash,
  callerEnv,
  cleanUp,
  git,
  makeFolder,
  makeOrigin,
  openRequest,
  runTurn,
  startRunner,
} from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

afterEach(cleanUp);

const PASSWORD = 'correct-horse-battery';

async function open(runner: TestRunner, repo: RepoSpec): Promise<string> {
  return (await runner.client.open(openRequest({ repos: [repo] }))).cwd;
}

/** A caller with a git configuration whose helper has a password for every host. */
function caller(folder: string, config = ''): Record<string, string> {
  const home = path.join(folder, 'caller');
  mkdirSync(home, { recursive: true });
  const helper = `!f() { echo username=jane; echo password=${PASSWORD}; }; f`;
  writeFileSync(path.join(home, '.gitconfig'), `[credential]\n\thelper = "${helper}"\n${config}`);
  return callerEnv(home);
}

/** A server that requires a password. `heard` has the headers of its requests. */
async function otherServer(): Promise<{ readonly url: string; readonly heard: readonly unknown[] }> {
  const heard: unknown[] = [];
  const server = createServer(({ headers }, response) => {
    heard.push(headers);
    response.writeHead(401, { 'www-authenticate': 'Basic realm="other"' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, heard };
}

/** Path prefix → prefix of the redirect's target. */
function moved(places: Readonly<Record<string, string>>): (path: string) => string | undefined {
  return (path) => {
    const from = Object.keys(places).find((each) => path.startsWith(`${each}/`));
    return from === undefined ? undefined : `${places[from] ?? ''}${path.slice(from.length)}`;
  };
}

describe('a remote that redirects', () => {
  it("to another server is not followed there, with the owner's credentials or without", async () => {
    const folder = makeFolder();
    const other = await otherServer();
    const server = await serveHttpOrigin(folder, 'jane', PASSWORD, {
      redirects: moved({ '/project.git': `${other.url}/payroll.git` }),
    });
    const env = caller(folder, '[http]\n\textraHeader = x-owner: secret\n');
    const runner = await startRunner({ folder, env });
    const spec = { clone_url: `http://127.0.0.1:${String(server.port)}/project.git`, branch: 'work' };
    await expect(open(runner, spec)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('redirects to another server') as unknown,
    });
    expect(server.redirected).not.toEqual([]);
    expect(other.heard).toEqual([]);
  });

  it('to another name on its own server is followed, at the clone and at the end of a turn', async () => {
    const folder = makeFolder();
    const origins = path.join(folder, 'origins');
    mkdirSync(origins);
    const origin = await makeOrigin(origins);
    await git(origin, 'config', 'http.receivepack', 'true');
    const server = await serveHttpOrigin(origins, 'jane', PASSWORD, {
      redirects: moved({ '/old': '/older', '/older': '/project.git' }),
    });
    const url = `http://127.0.0.1:${String(server.port)}/old`;
    const runner = await startRunner({ folder, env: caller(folder) });
    const cwd = await open(runner, { clone_url: url, branch: 'work' });
    expect(await git(cwd, 'remote', 'get-url', 'origin')).toBe(url);
    await git(origin, 'branch', 'work', 'main');
    const { outcome } = await runTurn(
      runner,
      't',
      bash('git -c user.name=x -c user.email=x@x commit -q --allow-empty -m c'),
    );
    expect(outcome.branches).toMatchObject([{ branch: 'work', pushed: false }]);
    await git(origin, 'fetch', '-q', cwd, '+work:work');
    const after = await runTurn(runner, 't2', bash('true'));
    expect(after.outcome.branches).toMatchObject([{ branch: 'work', pushed: true }]);
  });
});

describe('a remote that redirects and that insteadOf renames', () => {
  async function renamed() {
    const folder = makeFolder();
    const origins = path.join(folder, 'origins');
    mkdirSync(origins);
    await makeOrigin(origins);
    const redirects = moved({ '/old': '/project.git' });
    const server = await serveHttpOrigin(origins, 'jane', PASSWORD, { redirects });
    return { folder, host: `127.0.0.1:${String(server.port)}` };
  }

  it.each(['git@forge.example:', 'http://forge.example/'])('is followed from %s', async (named) => {
    const { folder, host } = await renamed();
    const env = caller(folder, `[url "http://${host}/"]\n\tinsteadOf = ${named}\n`);
    const cwd = await open(await startRunner({ folder, env }), { clone_url: `${named}old`, branch: 'work' });
    expect(await git(cwd, 'remote', 'get-url', 'origin')).toBe(`${named}old`);
  });

  it('is followed with the credentials that insteadOf adds', async () => {
    const { folder, host } = await renamed();
    const rule = `[url "http://jane:${PASSWORD}@${host}/"]\n\tinsteadOf = git@forge.example:\n`;
    const env = caller(folder, `\thelper =\n${rule}`);
    await open(await startRunner({ folder, env }), { clone_url: 'git@forge.example:old', branch: 'work' });
  });

  it('to another place than a repository causes an error without the credentials that insteadOf adds', async () => {
    const { folder, host } = await renamed();
    const rule = `[url "http://jane:${PASSWORD}@${host}/old/"]\n\tinsteadOf = git@forge.example:\n`;
    const runner = await startRunner({ folder, env: caller(folder, `\thelper =\n${rule}`) });
    const failed: unknown = await open(runner, { clone_url: 'git@forge.example:gone', branch: 'work' }).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 'FAILED_PRECONDITION', details: { clone_url: 'git@forge.example:gone' } });
    expect(inspect(failed, { depth: 5 })).not.toContain(PASSWORD);
  });
});

describe("the caller's git", () => {
  it('runs no hook of its own configuration', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const hooks = path.join(folder, 'hooks');
    mkdirSync(hooks);
    const ran = path.join(folder, 'ran');
    writeFileSync(path.join(hooks, 'reference-transaction'), `#!/bin/sh\necho "$@" >> '${ran}'\n`, { mode: 0o755 });
    const runner = await startRunner({ folder, env: caller(folder, `[core]\n\thooksPath = ${hooks}\n`) });
    await open(runner, { clone_url: origin, branch: 'work' });
    expect(existsSync(ran)).toBe(false);
  });

  it('starts no remote helper that runs commands, even if its configuration allows it', async () => {
    const folder = makeFolder();
    const ran = path.join(folder, 'ran');
    const runner = await startRunner({ folder, env: caller(folder, '[protocol "ext"]\n\tallow = always\n') });
    await expect(open(runner, { clone_url: `ext::touch ${ran}`, branch: 'work' })).rejects.toMatchObject({
      message: expect.stringContaining("transport 'ext' not allowed") as unknown,
    });
    expect(existsSync(ran)).toBe(false);
  });

  it('does not clone a repository that was replaced since the spawn', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const moved = path.join(folder, 'moved.git');
    const runner = await startRunner({ folder, env: caller(folder) });
    const spec: RepoSpec = { clone_url: `file://${origin}`, branch: 'work', real: true };
    const refused = { code: 'FAILED_PRECONDITION', message: expect.stringContaining('not what it was') as unknown };
    renameSync(origin, moved);
    symlinkSync(moved, origin);
    await expect(open(runner, spec)).rejects.toMatchObject(refused);
    rmSync(origin);
    mkdirSync(origin);
    writeFileSync(path.join(origin, '.git'), `gitdir: ${moved}\n`);
    await expect(open(runner, spec)).rejects.toMatchObject(refused);
    rmSync(origin, { recursive: true });
    renameSync(moved, origin);
    expect(await git(await open(runner, spec), 'rev-parse', 'HEAD')).toBe(await git(origin, 'rev-parse', 'main'));
  });

  it('clones through a link that an earlier spawn named', async () => {
    const folder = makeFolder();
    const link = path.join(folder, 'link.git');
    symlinkSync(await makeOrigin(folder), link);
    const runner = await startRunner({ folder, env: caller(folder) });
    expect(path.basename(await open(runner, { clone_url: link, branch: 'work' }))).toBe('link');
  });
});
