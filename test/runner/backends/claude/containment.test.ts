// What the real program sees and runs: keys, settings of a repository, commands in prompts.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { script, SessionFixture } from '../../../../runner/backends/conformance-fixture.ts';
import { readProjectInstructions } from '../../../../runner/backends/project-instructions.ts';
import type { ClaudeHarness } from './real-program.ts';
import { describeWithClaude, startClaudeHarness, TEST_MS } from './real-program.ts';

describeWithClaude('the program', () => {
  let harness: ClaudeHarness;
  let fixture: SessionFixture;

  beforeEach(async () => {
    harness = await startClaudeHarness();
    fixture = await SessionFixture.create(harness);
  }, TEST_MS);
  afterEach(async () => {
    await fixture.remove();
    await harness.stop();
  }, TEST_MS);

  const environment = script({ tool: 'Bash', input: { command: 'env > env.txt' } }, { text: 'seen' });

  it(
    'gets the API key from a file, so that tools do not inherit it',
    async () => {
      const session = await fixture.open();
      await fixture.turn(session, environment);
      expect(await fixture.readWork('env.txt')).not.toContain('scripted-key');
      expect(new Set(harness.model.requests.map(({ credential }) => credential))).toEqual(new Set(['scripted-key']));
      const keyFile = join(fixture.runDir, 'api-key');
      expect(await readFile(keyFile, 'utf8')).toBe('scripted-key');
      expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
      await session.stop();
      await expect(stat(keyFile)).rejects.toMatchObject({ code: 'ENOENT' });
    },
    TEST_MS,
  );

  it(
    'passes every variable to tools except a subscription token',
    async () => {
      const { ANTHROPIC_API_KEY: _, ...rest } = harness.env;
      const session = await fixture.open({
        env: { ...rest, CLAUDE_CODE_OAUTH_TOKEN: 'scripted-token', A_SECRET_OF_THE_TASK: 'given' },
      });
      await fixture.turn(session, environment);
      const seen = await fixture.readWork('env.txt');
      expect(seen).not.toContain('scripted-token');
      expect(seen).toContain('A_SECRET_OF_THE_TASK=given');
    },
    TEST_MS,
  );

  it(
    'runs no hook and no MCP server of the repository, and gets its instructions as text',
    async () => {
      const hook = { hooks: [{ type: 'command', command: `touch '${join(fixture.cwd, 'hook-ran')}'` }] };
      await mkdir(join(fixture.cwd, '.claude'));
      await writeFile(
        join(fixture.cwd, '.claude', 'settings.json'),
        JSON.stringify({ hooks: { SessionStart: [hook], UserPromptSubmit: [hook], Stop: [hook] } }),
      );
      const server = { command: 'touch', args: [join(fixture.cwd, 'server-ran')] };
      await writeFile(join(fixture.cwd, '.mcp.json'), JSON.stringify({ mcpServers: { evil: server } }));
      await writeFile(join(fixture.cwd, 'CLAUDE.md'), 'USE TABS, NOT SPACES\n');
      const session = await fixture.open({ projectInstructions: readProjectInstructions([fixture.cwd]) });
      await fixture.turn(session, script({ text: 'yes' }));
      await session.stop();
      const system = harness.model.requests[0]?.system ?? '';
      expect(system.split('USE TABS')).toHaveLength(2);
      expect(system).toContain('come from the repository');
      for (const trace of ['hook-ran', 'server-ran']) {
        await expect(stat(join(fixture.cwd, trace))).rejects.toMatchObject({ code: 'ENOENT' });
      }
    },
    TEST_MS,
  );

  it(
    'gets a prompt that looks like a command unchanged',
    async () => {
      const session = await fixture.open();
      const end = await fixture.turn(session, '/clear');
      expect(end.status).toBe('completed');
      expect(harness.model.requests.at(-1)?.prompt).toBe('/clear');
      await fixture.turn(session, script({ text: 'still here' }));
      expect(JSON.stringify(harness.model.requests.at(-1)?.messages)).toContain('/clear');
      expect(await session.transcriptFiles()).toHaveLength(1);
    },
    TEST_MS,
  );

  it(
    'offers the model no tools that start turns by themselves or reach other sessions',
    async () => {
      await fixture.turn(await fixture.open({ model: 'claude-sonnet-5-5' }), script({ text: 'hi' }));
      const [request] = harness.model.requests;
      expect(request?.model).toBe('claude-sonnet-5-5');
      expect(request?.tools).toEqual(expect.arrayContaining(['Bash', 'Edit', 'Read', 'Write']));
      for (const tool of ['SendMessage', 'ListAgents', 'ScheduleWakeup', 'CronCreate', 'EnterWorktree']) {
        expect(request?.tools).not.toContain(tool);
      }
    },
    TEST_MS,
  );
});
