// The part of the backends' conformance suite about consecutive turns of one session. For tests only.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EVENT_TEXT_LIMIT } from '../../contract/wire/events.ts';
import type { AgentSession } from './backend.ts';
import type { BackendHarness } from './conformance-fixture.ts';
import { isAlive, lastAsked, script, SessionFixture, TEST_MS, until } from './conformance-fixture.ts';

/** Declares the tests. They share a session, because starting a program takes most of the time. */
export function turnsConformance(harnessOfSuite: () => BackendHarness): void {
  describe('a session', () => {
    let harness: BackendHarness;
    let fixture: SessionFixture;
    let session: AgentSession;

    beforeAll(async () => {
      harness = harnessOfSuite();
      fixture = await SessionFixture.create(harness);
      session = await fixture.open();
    }, TEST_MS);
    afterEach(() => void fixture.events.splice(0));
    afterAll(async () => await fixture.remove(), TEST_MS);

    const test = (claim: string, body: () => Promise<void>): void => it(claim, body, TEST_MS);
    const asked = (): string => JSON.stringify(lastAsked(harness).messages);

    test('continues the conversation with a follow-up, in the same process', async () => {
      await fixture.turn(session, script({ text: 'the first answer' }));
      const { pid } = session;
      const end = await fixture.turn(session, script({ text: 'the second answer' }));
      expect(end.response).toBe('the second answer');
      expect(asked()).toContain('the first answer');
      expect(session.pid).toBe(pid);
      expect(fixture.eventsOf('session_start')).toHaveLength(1);
      expect(fixture.eventsOf('user_text')).toHaveLength(2);
    });

    test("reports estimated usage with every message if requested, and the real cost at the turn's end", async () => {
      const prompt = script(harness.tools.shell.step('true'), { text: 'Done.' });
      const end = await fixture.turn(session, prompt, { reportsUsage: true });
      const used = fixture.eventsOf('usage').map(({ used_usd: usd }) => usd);
      expect(used).toHaveLength(2);
      expect(used[0]).toBeGreaterThan(0);
      expect(used[1]).toBeGreaterThan(used[0] ?? 0);
      // Estimated from the beginning of each message: close to the real figure, which replaces it.
      expect(Math.abs((used[1] ?? 0) - end.cost.usd)).toBeLessThan(end.cost.usd / 2);
      expect(fixture.eventsOf('cost').map(({ delta }) => delta)).toEqual([end.cost]);
    });

    test('runs one turn at a time', async () => {
      const first = fixture.turn(session, script({ hang: true }));
      await expect(fixture.turn(session, 'another')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
      await session.interrupt();
      await first;
    });

    test('an interrupt ends the turn and the processes of its tool, and the next prompt works', async () => {
      const { prompt, pids } = await fixture.endlessTool();
      const turn = fixture.turn(session, prompt);
      await until(() => pids().length === 2, 'the tool to run');
      await session.interrupt();
      expect(await turn).toMatchObject({ status: 'interrupted', response: 'working' });
      await until(() => !pids().some(isAlive), 'the processes of the tool to end');
      expect(await fixture.turn(session, script({ text: 'next' }))).toMatchObject({
        status: 'completed',
        response: 'next',
      });
      expect(asked()).toContain('working');
    });

    test('ends the turn with the reason when the model request fails, and the next prompt works', async () => {
      const end = await fixture.turn(session, script({ status: 403, message: 'no such permission' }));
      expect(end).toMatchObject({ status: 'api_error', error: { kind: 'permission', retryable: false } });
      expect(end.error?.message).toContain('no such permission');
      expect(end.error?.action).not.toBe('');
      expect(fixture.events.at(-1)).toEqual({ type: 'error', code: 'permission', message: end.error?.message });
      expect(await fixture.turn(session, script({ text: 'fine' }))).toMatchObject({ status: 'completed' });
    });

    test('cuts a tool result of 5 MB and reports its whole length', async () => {
      const command = "head -c 5000000 /dev/zero | tr '\\0' a";
      const end = await fixture.turn(session, script(harness.tools.shell.step(command), { text: 'seen' }));
      expect(end).toMatchObject({ status: 'completed', response: 'seen' });
      const [result] = fixture.eventsOf('tool_result');
      expect(result?.text.length).toBeLessThanOrEqual(EVENT_TEXT_LIMIT);
      expect(result?.text).toContain('a'.repeat(1_000));
      expect(result?.whole_bytes).toBe(5_000_000);
    });

    test('passes a prompt of 1 MB, and unusual characters in both directions', async () => {
      const odd = 'tab\t bell\u0007 escape\u001b[31m nul\u0000 half\ud83d pair🙂 line\u2028';
      const command = "printf 'a\\001\\033[31m\\377\\376b'";
      const end = await fixture.turn(
        session,
        `${odd} ${'lorem ipsum '.repeat(90_000)} ${script(harness.tools.shell.step(command), { text: odd })}`,
      );
      const wellFormed = odd.toWellFormed();
      expect(end).toMatchObject({ status: 'completed', response: wellFormed });
      expect(lastAsked(harness).messages.some(({ text }) => text.includes(wellFormed) && text.length > 1_000_000)).toBe(
        true,
      );
      expect(fixture.eventsOf('tool_result')[0]?.text).toBe('a\u0001\u001b[31m\ufffd\ufffdb');
      const [told] = fixture.eventsOf('user_text');
      expect(told?.text).toHaveLength(EVENT_TEXT_LIMIT);
      expect(JSON.stringify(fixture.events)).toBe(JSON.stringify(fixture.events).toWellFormed());
    });
  });
}
