// What a running stack refuses is refused with its code, its exit status and what to do. Nothing is lost by it.
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { settled } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { startProgram } from './fixtures/program.ts';
import { expectRefusal, expectRefusalInProcess, spawnBare } from './fixtures/refusals.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';

const FAKE_MODEL = 'fake-1';
const FAKE = ['--model', FAKE_MODEL];

const stack = stackForFile();

describe('an agent that is not there, or no longer, or already', () => {
  it('a bad slug is quoted as typed, with the rule', async () => {
    const rule = 'it needs 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends';
    for (const slug of ['Fix_Auth', 'fix auth', '-fix-', 'a'.repeat(64), 'fïx']) {
      await expectRefusalInProcess(stack, ['spawn', '--', slug, 'x'], {
        exitCode: 2,
        message: `slug ${JSON.stringify(slug)} is not valid: ${rule}`,
      });
    }
    await expectRefusalInProcess(stack, ['status', 'parent/Child'], {
      exitCode: 2,
      message: `slug "Child" is not valid: ${rule}`,
    });
    await expectRefusalInProcess(stack, ['spawn', '', 'x'], { exitCode: 2, message: 'slug required' });
    await expectRefusalInProcess(stack, ['spawn', 'x', ' '], { exitCode: 2, message: 'description required' });
  }, 180_000);

  it('an unknown slug is NOT_FOUND with the path that it means', async () => {
    for (const args of [['status'], ['wait'], ['kill'], ['turns'], ['session', 'interrupt'], ['task', 'ls']]) {
      await expectRefusalInProcess(stack, [...args, 'nobody'], {
        exitCode: 4,
        message: /^agent "\/w\/default\/u\/[^/]+\/nobody" not found \(slug "nobody"\)$/,
        hint: 'list agents with `murmur ls`',
      });
    }
    await expectRefusal(stack, ['queue', 'add', 'nobody', 'x', '-w', 'shop'], {
      exitCode: 4,
      message: /^agent "\/w\/shop\/u\/[^/]+\/nobody" not found/,
    });
  }, 180_000);

  it('a slug that is running is ALREADY_EXISTS, one that has ended is not used again', async () => {
    await spawnBare(stack, 'twice', 'Hello', { model: FAKE_MODEL });
    await settled(stack, 'twice');
    await expectRefusal(stack, ['spawn', 'twice', 'Hello again', ...FAKE], {
      exitCode: 5,
      message: /^agent "\/w\/default\/u\/[^/]+\/twice" is already running$/,
      hint: 'send it a follow-up with `murmur queue add twice`',
    });
    const [turn, ...others] = await stack.json<readonly object[]>(['turns', 'twice']);
    expect(turn).toMatchObject({ description: 'Hello' });
    expect(others).toEqual([]);
    await (await clientOf(stack)).call('kill', { slug: 'twice' });
    const ended = { exitCode: 6, message: /twice" has ended: it is canceled$/, hint: /another slug/ };
    await expectRefusalInProcess(stack, ['spawn', 'twice', 'Hello', ...FAKE], ended);
    await expectRefusalInProcess(stack, ['queue', 'add', 'twice', 'Are you there?'], ended);
    await expectRefusal(stack, ['session', 'send', 'twice', 'Are you there?'], ended);
    await expectRefusalInProcess(stack, ['task', 'create', 'twice', 'Something'], ended);
  }, 180_000);

  it('a repository or branch that is not there ends the agent with a reason that names it', async () => {
    const gone = join(stack.directory, 'gone.git');
    await stack.runInProcess(['spawn', 'no-repo', 'x', ...FAKE, '--repo', gone]);
    await stack.runInProcess(['spawn', 'no-branch', 'x', ...FAKE, '--repo', `${stack.sample.origin}=nowhere`]);
    expect(await settled(stack, 'no-repo')).toMatchObject({
      phase: 'failed',
      reason: expect.stringContaining(`repository ${gone} is not there`),
      undelivered: ['x'],
    });
    expect(await settled(stack, 'no-branch')).toMatchObject({
      phase: 'failed',
      reason: expect.stringContaining(`branch "nowhere" is not in ${stack.sample.origin} (push the branch`),
    });
    await expectRefusalInProcess(stack, ['spawn', 'bad-repo', 'x', '--repo', 'nonsense'], {
      exitCode: 2,
      message: /^clone URL "nonsense" is not valid/,
    });
    await expectRefusalInProcess(
      stack,
      ['spawn', 'bad-repo', 'x', '--repo', 'https://jane:hunter2@git.example.com/x'],
      {
        exitCode: 2,
        message: /^clone URL "https:\/\/git\.example\.com\/x" carries credentials/,
      },
    );
    await expectRefusalInProcess(stack, ['spawn', 'bad-branch', 'x', '--branch', 'a..b'], {
      exitCode: 2,
      message: 'branch "a..b" is not a valid branch name',
    });
  }, 180_000);
});

describe('the API', () => {
  interface Answer {
    readonly status: number;
    readonly body: string;
  }

  /** A request as a browser or a stranger would send it. */
  async function post(headers: Readonly<Record<string, string>>, slug = 'intruder'): Promise<Answer> {
    const { server } = await stack.record();
    const url = new URL('/v1/spawn', server?.url);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (incoming) => {
        let body = '';
        incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
        incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
      },
    );
    outgoing.once('error', reject);
    outgoing.end(JSON.stringify({ slug, description: 'x', model: 'fake-1' }));
    return promise;
  }

  it('refuses a foreign page, with the token and without, and does nothing for it', async () => {
    const token = (await readFile(join(stack.home, 'token'), 'utf8')).trim();
    const bearer = { authorization: `Bearer ${token}` };
    const pages: readonly Readonly<Record<string, string>>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { host: 'evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const page of pages) {
      for (const headers of [page, { ...page, ...bearer }]) {
        const { status, body } = await post(headers);
        expect([headers, status]).toEqual([headers, 403]);
        expect(JSON.parse(body)).toMatchObject({ error: { code: 'PERMISSION_DENIED' } });
      }
    }
    // What a page may send without asking the server first.
    expect((await post({ ...bearer, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post({})).status).toBe(401);
    expect((await post({ authorization: 'Bearer guessed' })).status).toBe(401);
    const agents = await (await clientOf(stack)).call('ls', { all: true });
    expect(agents.map(({ slug }) => slug)).not.toContain('intruder');
  }, 180_000);

  it('refuses a wrong and a missing token; `murmur auth` mends both', async () => {
    const file = join(stack.home, 'token');
    for (const spoil of [() => writeFile(file, 'mur_wrong\n'), () => rm(file)]) {
      await spoil();
      await expectRefusal(stack, ['ls'], { exitCode: 3, message: /token/, hint: 'run `murmur auth`' });
      const mended = await stack.run(['auth']);
      expect(mended.exitCode).toBe(0);
      expect(mended.stderr).toContain(`repaired the token in ${file}`);
      expect((await stack.runInProcess(['ls'])).exitCode).toBe(0);
    }
  }, 180_000);

  it('takes one request once, however often it is sent', async () => {
    const token = (await readFile(join(stack.home, 'token'), 'utf8')).trim();
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() };
    const answers = [await post(headers, 'once'), await post(headers, 'once')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]?.body).toBe(answers[0]?.body);
  }, 180_000);

  it('a command that is told to end while the server is gone ends', async () => {
    const { server } = (await stack.record()).children;
    const waiting = startProgram(stack, ['wait', 'once', '--phase', 'completed']);
    await waiting.shows('waiting until once is completed');
    process.kill(server?.pid ?? 0, 'SIGKILL');
    waiting.signal('SIGINT');
    expect((await waiting.ended).exitCode).toBe(130);
  }, 180_000);
});
