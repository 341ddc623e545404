// The file by which programs of a machine learn whose they are.
import { afterEach, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { AgentFile } from '../../contract/wire/agent-file.ts';
import type { OpenRequest } from '../../contract/wire/runner.ts';
import { bash, callerEnv, cleanUp, eventsUpTo, git, makeFolder, makeOrigin } from './fixture.ts';
import { openRequest, runTurn, startRunner } from './fixture.ts';
import type { TestRunner } from './fixture.ts';

afterEach(cleanUp);

const AGENT = 'w/default/u/tess/lead';
const API = { host: '127.0.0.1', port: 9 };

/** As the activities open a session. */
function requestFor(token: string, more: Partial<OpenRequest> = {}): OpenRequest {
  const env = { MURMUR_WORKFLOW_ID: AGENT, MURMUR_TOKEN: token, KEY: 'a spawn-time secret' };
  return openRequest({ env, secret_names: ['MURMUR_TOKEN', 'KEY'], api: API, ...more });
}

function fileOf({ paths }: TestRunner): string {
  return path.join(paths.run, 'agent', 'murmur.json');
}

function contentOf(runner: TestRunner): AgentFile {
  return JSON.parse(readFileSync(fileOf(runner), 'utf8')) as AgentFile;
}

/** What the commands of all turns have printed, as the log has it. */
async function printed({ client }: TestRunner, seq: number): Promise<string> {
  const events = await eventsUpTo(client, seq);
  return events.map(({ event }) => (event.type === 'tool_result' ? event.text : '')).join('\n');
}

it('says who the agent is, where Murmur is and its token, and the environment has no token', async () => {
  const runner = await startRunner();
  await runner.client.open(requestFor('mur_agent-1.secret'));
  expect(contentOf(runner)).toEqual({
    agent: AGENT,
    token: 'mur_agent-1.secret',
    api_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
  });
  expect(statSync(fileOf(runner)).mode & 0o777).toBe(0o600);
  const { end_seq: seq } = await runTurn(runner, 'one', bash('env | sort; cat "$MURMUR_AGENT_FILE"'));
  const text = await printed(runner, seq);
  expect(text).toContain(`MURMUR_AGENT_FILE=${fileOf(runner)}`);
  expect(text).toContain('KEY=[secret KEY]');
  expect(text).toContain('"token":"[secret MURMUR_TOKEN]"');
  expect(text).not.toMatch(/^MURMUR_TOKEN=|^MURMUR_API_URL=|^GIT_AUTHOR_|^GIT_COMMITTER_/m);
});

it('is replaced when the token changes, without another start of the program, and the new one is scrubbed', async () => {
  const runner = await startRunner();
  const request = requestFor('mur_agent-1.first');
  await runner.client.open(request);
  const { end_seq: before } = await runTurn(runner, 'one', bash('true'));
  await runner.client.open({ ...requestFor('mur_agent-1.second'), session_id: request.session_id });
  expect(contentOf(runner).token).toBe('mur_agent-1.second');
  const { end_seq: seq } = await runTurn(runner, 'two', bash('cat "$MURMUR_AGENT_FILE"'));
  const events = await eventsUpTo(runner.client, seq);
  expect(await printed(runner, seq)).toContain('"token":"[secret MURMUR_TOKEN]"');
  // The program tells its start once.
  const starts = events.filter(({ event }) => event.type === 'session_start');
  expect(starts.map(({ seq: each }) => each < before)).toEqual([true]);
});

it('is gone when the runner has stopped, and enters no snapshot', async () => {
  const folder = makeFolder();
  const clone_url = await makeOrigin(folder);
  const runner = await startRunner();
  await runner.client.open(requestFor('mur_agent-1.secret', { repos: [{ clone_url, branch: 'work' }] }));
  await runTurn(runner, 'one', bash('echo more >> README.md'));
  const { directory, files } = await runner.client.snapshot();
  expect(files.length).toBeGreaterThan(0);
  const kept = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of kept) {
    expect(readFileSync(path.join(parentPath, name)).includes('mur_agent-1.secret')).toBe(false);
  }
  await runner.client.stop({ status: 'interrupted' });
  expect(existsSync(fileOf(runner))).toBe(false);
});

it("commits of the agent have the owner's name from git's configuration file, without a variable that says it", async () => {
  const folder = makeFolder();
  const clone_url = await makeOrigin(folder);
  const env = callerEnv(folder, { GIT_AUTHOR_NAME: 'Tess', GIT_AUTHOR_EMAIL: 'tess@example.com' });
  const runner = await startRunner({ env });
  const { cwd } = await runner.client.open(requestFor('mur_agent-1.x', { repos: [{ clone_url, branch: 'work' }] }));
  await runTurn(runner, 'one', bash('git commit --quiet --allow-empty -m mine'));
  expect(await git(cwd, 'log', '-1', '--format=%an <%ae> %cn <%ce> %s')).toBe(
    'Tess <tess@example.com> Tess <tess@example.com> mine',
  );
});
