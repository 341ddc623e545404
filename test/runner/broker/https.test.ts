// The broker's own http and https: which of the owner's settings it uses, and what the agent sees.
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { bash, cleanUp, git } from '../fixture.ts';
import { serveForwardProxy } from './http-origin.ts';
import { PASSWORD, TOKEN, WORK, agentConfig, broker, configure, opened, run, setup, withStore } from './https-setup.ts';

afterEach(cleanUp);

describe('an https origin', () => {
  it("is pushed to with the owner's password and certificates, under its normal URL", async () => {
    const each = await setup();
    withStore(each);
    const runner = await opened(each);
    const { outcome, text } = await run(runner, 't1', `${WORK} && git remote -v && git config remote.origin.url`);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect(await git(each.origin, 'log', '-1', '--format=%s %an', 'work')).toBe('work Jane');
    expect(await git(each.origin, 'fsck')).toBe('');
    expect(text).toContain(`origin\\t${each.url} (push)`);
    for (const secret of [PASSWORD, Buffer.from(`jane:${PASSWORD}`).toString('base64')]) {
      expect(`${text}${agentConfig(runner)}`).not.toContain(secret);
    }
  }, 120_000);

  it('gives access only to that repository of its host, for any path', async () => {
    const each = await setup();
    withStore(each);
    const runner = await opened(each);
    const host = new URL(each.url).origin;
    const commands = [
      `proxy=$(git config --get-urlmatch http.proxy ${each.url}); ca=$(git config --get-urlmatch http.sslcainfo ${each.url})`,
      'ask() { curl -s --path-as-is --proxy "$proxy" --cacert "$ca" -o body -w "%{http_code} " "$@"; head -c 120 body; }',
      ...['/other.git', '/project.git/../other.git', '/project.git%2f..%2fother.git', '//other.git'].map(
        (place) => `ask '${host}${place}/info/refs?service=git-upload-pack'`,
      ),
      `ask '${each.url}/HEAD'; ask '${each.url}/info/refs'; ask -X DELETE '${each.url}/info/refs?service=git-upload-pack'`,
      `git -c http.proxy="$proxy" -c http.sslcainfo="$ca" ls-remote ${host}/other.git`,
      `git ls-remote ${host}/other.git; echo "status $?"`,
    ];
    const { text } = await run(runner, 't1', commands.join('; '));
    expect(text.match(/403 murmur: /g)).toHaveLength(7);
    expect(text).toContain(`${host}/other.git is not one of this agent's repositories`);
    expect(text).toContain('status 128');
    expect(each.server.accepted.filter((line) => !line.includes('/project.git/'))).toEqual([]);
    expect(each.server.accepted.filter((line) => !/git-(upload|receive)-pack$/.test(line))).toEqual([]);
  }, 120_000);

  it('also gives access to repositories that a person allowed', async () => {
    const each = await setup();
    withStore(each);
    const { host } = new URL(each.url);
    const runner = await opened(each, {}, [`${host}/other`]);
    const clone = `git clone -q https://${host}/other.git ../cloned && git -C ../cloned log -1 --format=cloned:%s`;
    const { text } = await run(runner, 't1', clone);
    expect(text).toMatch(/cloned:\w/);
  }, 120_000);

  it('is reachable while other processes of the host hold more connections without the key than the limit', async () => {
    const each = await setup();
    withStore(each);
    const runner = await opened(each);
    const port = Number(/@127\.0\.0\.1:(\d+)/.exec(agentConfig(runner))?.[1]);
    const held = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    const { text } = await run(runner, 't1', 'git ls-remote origin main');
    for (const socket of held) socket.destroy();
    expect(text).toContain('refs/heads/main');
  }, 120_000);

  it("is reachable through the broker only with the machine's key", async () => {
    const each = await setup();
    withStore(each);
    const runner = await opened(each);
    const port = Number(/@127\.0\.0\.1:(\d+)/.exec(agentConfig(runner))?.[1]);
    for (const authorization of ['', `proxy-authorization: Basic ${btoa('murmur:guess')}\r\n`]) {
      const { host } = new URL(each.url);
      const asked = await answerOf(port, `CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n${authorization}\r\n`);
      expect(asked).toMatch(/^HTTP\/1\.1 407 /);
    }
    const rewritten = `GET /https/${new URL(each.url).host}/project.git/info/refs?service=git-upload-pack HTTP/1.1`;
    expect(await answerOf(port, `${rewritten}\r\nhost: x\r\nconnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 407 /);
  }, 120_000);
});

describe("the owner's access", () => {
  it.each([
    ['a header', (token: string) => token === `Bearer ${TOKEN}`, `\textraHeader = Authorization: Bearer ${TOKEN}\n`],
  ])(
    'may be %s of the configuration',
    async (_, admits, setting) => {
      const each = await setup({ admits: ({ headers }) => admits(headers.authorization ?? '') });
      configure(each, setting);
      const runner = await opened(each);
      const { outcome } = await run(runner, 't1', WORK);
      expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
      expect(agentConfig(runner)).not.toContain(TOKEN);
    },
    120_000,
  );

  it('may be a cookie', async () => {
    const each = await setup({ admits: ({ headers }) => headers.cookie === `session=${TOKEN}` });
    const jar = each.write('cookies', `127.0.0.1\tFALSE\t/\tTRUE\t0\tsession\t${TOKEN}\n`);
    configure(each, `\tcookieFile = ${jar}\n`);
    const runner = await opened(each);
    const { outcome } = await run(runner, 't1', WORK);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect(agentConfig(runner)).not.toContain('cookie');
  }, 120_000);

  it('may be part of a rewritten URL, as on build servers', async () => {
    const each = await setup();
    const { host } = new URL(each.url);
    configure(
      each,
      `[url "https://jane:${PASSWORD}@${host}/"]\n\tinsteadOf = https://${host}/\n\tinsteadOf = short:\n`,
    );
    const runner = await opened({ ...each, url: 'short:project.git' });
    const { outcome } = await run(runner, 't1', `${WORK} && git ls-remote -q ${each.url}`);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect(agentConfig(runner)).not.toContain(PASSWORD);
    expect(agentConfig(runner)).toContain('short:');
  }, 120_000);

  it('may use a proxy with a password; the agent sees the proxy without the password', async () => {
    const each = await setup();
    withStore(each);
    const proxy = await serveForwardProxy('jane', TOKEN);
    const address = `http://jane:${TOKEN}@127.0.0.1:${proxy.port}`;
    const runner = await opened(each, { https_proxy: address, HTTPS_PROXY: address });
    const { outcome, text } = await run(runner, 't1', `${WORK} && git config remote.origin.url && env`);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect(proxy.used.length).toBeGreaterThan(1);
    expect(text).toContain(`HTTPS_PROXY=http://127.0.0.1:${proxy.port}`);
    expect(text).toContain(each.url);
    expect(`${text}${agentConfig(runner)}`).not.toContain(TOKEN);
  }, 120_000);

  it('is requested again when the server no longer accepts it', async () => {
    let wanted = 'first-password';
    const basic = (password: string) => `Basic ${btoa(`jane:${password}`)}`;
    const each = await setup({ admits: ({ headers }) => headers.authorization === basic(wanted) });
    withStore(each);
    const store = (password: string) =>
      each.write('.git-credentials', `https://jane:${password}@127.0.0.1%3a${each.server.port}\n`);
    store(wanted);
    const runner = await opened(each);
    await run(runner, 't1', 'git fetch -q');
    wanted = 'second-password';
    store(wanted);
    const { outcome } = await run(runner, 't2', WORK);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    wanted = 'third-password';
    const { text } = await run(runner, 't3', 'git fetch -q; echo "status $?"');
    expect(text).toContain("refuses the credentials of the owner's git");
    expect(text).toContain('status 128');
  }, 120_000);

  it('is missing with an error that names the supported schemes when the server requires another one', async () => {
    let challenge = true;
    const each = await setup({ admits: () => !challenge, challenge: 'Negotiate' });
    challenge = false;
    const runner = await opened(each);
    challenge = true;
    const { text } = await run(runner, 't1', 'git fetch -q; echo "status $?"');
    expect(text).toContain('requires Negotiate; the git broker supports only Basic and Bearer: use a token or ssh');
    expect(text).toContain('status 128');
  }, 120_000);
});

describe("the owner's helper", () => {
  const REFS = '/info/refs?service=git-upload-pack';

  it('does not delay requests while it stores a password', async () => {
    const each = await setup();
    const get = `echo username=jane; echo password=${PASSWORD}`;
    configure(each, `[credential]\n\thelper = "!f() { case $1 in get) ${get};; *) exec sleep 1000;; esac; }; f"\n`);
    const { ask } = await broker(each, each.url);
    expect(await ask(REFS)).toMatchObject({ status: 200 });
    expect(await ask(REFS)).toMatchObject({ status: 200 });
  });

  it('that fails causes an error with the reason', async () => {
    const each = await setup();
    const { git, ask } = await broker(each, each.url);
    git.env['PATH'] = each.folder;
    expect((await ask(REFS)).text).toBe('murmur: git is not installed on the machine, or not on PATH\n');
  });
});

describe('a server that does not answer', () => {
  it('is disconnected when the runner stops', async () => {
    const [asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const each = await setup({
      answers: (request, response) => {
        if (!(request.url ?? '').endsWith('/git-receive-pack')) return false;
        asked.resolve();
        response.once('close', () => left.resolve());
        return true;
      },
    });
    withStore(each);
    const runner = await opened(each);
    await runner.client.turn({ turn_id: 't1', number: 1, prompt: bash(WORK), inputs: [] });
    await asked.promise;
    await runner.client.stop({ status: 'interrupted' });
    await left.promise;
    expect(await git(each.origin, 'branch', '--list', 'work')).toBe('');
  }, 120_000);
});

/** The first line of the answer. */
async function answerOf(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  let answer = '';
  for await (const chunk of socket) {
    answer += (chunk as Buffer).toString();
    if (answer.includes('\r\n')) break;
  }
  return answer;
}
