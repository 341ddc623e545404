// MCP servers that come with a session, with the real program.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { isAlive, script, SessionFixture, until } from '../../../../runner/backends/conformance-fixture.ts';
import { createIsolation } from '../../../../runner/isolation/isolation.ts';
import type { Isolation } from '../../../../runner/isolation/port.ts';
import { COMPANION } from '../../../../runner/isolation/marker.ts';
import type { ClaudeHarness } from './real-program.ts';
import { describeWithClaude, startClaudeHarness, TEST_MS } from './real-program.ts';

const mcpServers = {
  small: {
    command: 'node',
    args: [join(import.meta.dirname, 'mcp-server.mjs')],
    env: { [COMPANION]: '1', OWN: 'its-own' },
  },
};

describeWithClaude('MCP servers of a session', () => {
  let harness: ClaudeHarness;
  let fixture: SessionFixture;
  let isolation: Isolation;

  beforeEach(async () => {
    harness = await startClaudeHarness();
    fixture = await SessionFixture.create(harness);
    const { home, cwd: work, runDir: run } = fixture;
    isolation = createIsolation({
      kind: 'tracking',
      machine: `mcp-test-${String(process.pid)}`,
      paths: { home, work, run, isolation: join(run, 'isolation') },
      hide: [],
      keep: [],
    });
  }, TEST_MS);
  afterEach(async () => {
    await fixture.remove();
    await isolation.endAll();
    await harness.stop();
  }, TEST_MS);

  it(
    'offer their tools from the first request on, inherit the environment, and outlive an interrupt',
    async () => {
      const began = new Date();
      const session = await fixture.open({
        mcpServers,
        env: { ...harness.env, SEEN_BY_SERVER: 'inherited' },
        spawn: isolation.spawn,
      });
      const hanging = fixture.turn(session, script({ tool: 'mcp__small__look' }, { tool: 'mcp__small__hang' }));
      await until(() => harness.model.count() === 2, 'the second request');
      expect(harness.model.requests[0]?.tools).toEqual(
        expect.arrayContaining(['mcp__small__look', 'mcp__small__hang']),
      );
      const [pid = '', ...seen] = (harness.model.requests[1]?.toolResults[0]?.text ?? '').split(' ');
      expect(seen).toEqual(['inherited', 'its-own']);
      await until(() => fixture.eventsOf('tool_use').length === 2, 'the second call');
      // As the runner does.
      await session.interrupt();
      await hanging;
      await isolation.endStartedSince(began, session.pid === undefined ? [] : [session.pid]);
      expect(isAlive(Number(pid))).toBe(true);
      const again = script({ tool: 'mcp__small__look' }, { text: 'seen' });
      await fixture.turn(session, again);
      expect(harness.model.requests.at(-1)?.toolResults[0]?.text).toBe(`${pid} inherited its-own`);
      await session.stop();
      await until(() => !isAlive(Number(pid)), 'the server ends with the program');
    },
    TEST_MS,
  );

  it(
    'that do not start are omitted, and the turn runs without them',
    async () => {
      const missing = { command: 'no-such-program', args: [], env: {} };
      const session = await fixture.open({ mcpServers: { ...mcpServers, missing } });
      const end = await fixture.turn(session, script({ tool: 'mcp__small__look' }, { text: 'done' }));
      expect(end).toMatchObject({ status: 'completed', response: 'done' });
    },
    TEST_MS,
  );
});
