// The conformance suite of the backend port. The tests of each backend run it. For tests only.
import { randomUUID } from 'node:crypto';
import { appendFile, cp, mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { VERDICT_SCHEMA } from '../../contract/wire/assessment.ts';
import type { AskedModel, BackendHarness } from './conformance-fixture.ts';
import { isAlive, lastAsked, script, SessionFixture, TEST_MS, until } from './conformance-fixture.ts';
import { turnsConformance } from './conformance-turns.ts';

/** Declares the suite. With `skip`, its tests are reported as skipped, with the reason in their title. */
export function backendConformance(name: string, start: () => Promise<BackendHarness>, skip?: string): void {
  const suite = skip === undefined ? describe : describe.skip;
  suite(`the ${name} backend${skip === undefined ? '' : ` (skipped: ${skip})`}`, () => {
    let harness: BackendHarness;
    let fixture: SessionFixture;

    beforeAll(async () => {
      harness = await start();
    }, TEST_MS);
    afterAll(async () => await harness.stop(), TEST_MS);
    beforeEach(async () => {
      fixture = await SessionFixture.create(harness);
    });
    afterEach(async () => await fixture.remove(), TEST_MS);

    const test = (claim: string, body: () => Promise<void>): void => it(claim, body, TEST_MS);
    const asked = (): string => JSON.stringify(lastAsked(harness).messages);

    turnsConformance(() => harness);

    test('runs a first turn: tools work in the working directory, events are in order, the cost is reported', async () => {
      const session = await fixture.open();
      const before = harness.asked().length;
      const { tools } = harness;
      const command = 'echo made > shell.txt && pwd';
      const written = join(fixture.cwd, 'written.txt');
      const end = await fixture.turn(
        session,
        script(tools.shell.step(command), tools.edit.step(written, 'one line\n'), tools.read.step(written), {
          text: 'All done.',
        }),
      );
      expect(end).toMatchObject({ status: 'completed', response: 'All done.' });
      expect(end.error).toBeUndefined();
      expect(fixture.events.map(({ type }) => type)).toEqual([
        'session_start',
        'user_text',
        ...['tool_use', 'tool_result'],
        ...['tool_use', 'tool_result'],
        ...['tool_use', 'tool_result'],
        'assistant_text',
        'cost',
      ]);
      expect(session.resumed).toBe(false);
      expect(fixture.eventsOf('session_start')[0]).toMatchObject({ session_id: session.sessionId, resumed: false });
      const uses = fixture.eventsOf('tool_use');
      expect(uses.map(({ tool }) => tool)).toEqual([tools.shell.name, tools.edit.name, tools.read.name]);
      expect(Object.values(JSON.parse(uses[0]?.input ?? '') as object).join(' ')).toContain(command);
      const results = fixture.eventsOf('tool_result');
      expect(results).toMatchObject(uses.map(({ tool_use_id }) => ({ tool_use_id, is_error: false })));
      expect(results[0]?.text).toContain('work dir');
      expect(results[2]?.text).toContain('one line');
      expect(await fixture.readWork('shell.txt')).toBe('made\n');
      expect(await fixture.readWork('written.txt')).toBe('one line\n');
      expect(harness.asked().length - before).toBe(4);
      expect(end.cost.usd).toBeGreaterThan(0);
      expect(fixture.eventsOf('cost').map(({ delta }) => delta)).toEqual([end.cost]);
    });

    test('delivers notices within the running turn, each with the result of a tool, and reports each delivery', async () => {
      const session = await fixture.open();
      const before = harness.asked().length;
      const notices = ['first word', 'second word', 'third word'].map((text) => ({ id: `id of the ${text}`, text }));
      const prompt = script(harness.tools.shell.step('true'), harness.tools.shell.step('exit 3'), { text: 'Done.' });
      const end = await fixture.turn(session, prompt, { nextNotice: () => notices.shift() });
      expect(end).toMatchObject({ status: 'completed', response: 'Done.' });
      const wordsOf = ({ messages }: AskedModel): readonly string[] =>
        JSON.stringify(messages).match(/(first|second|third) word/g) ?? [];
      const answered = harness.asked().slice(before).map(wordsOf);
      expect(answered).toEqual([[], ['first word'], ['first word', 'second word']]);
      // No third tool was used.
      expect(notices).toHaveLength(1);
      expect(fixture.eventsOf('user_text').slice(1)).toEqual([
        { type: 'user_text', text: 'first word', notice: 'id of the first word' },
        { type: 'user_text', text: 'second word', notice: 'id of the second word' },
      ]);
      const told = fixture.events.map(({ type }) => type).filter((type) => /^(tool|user)_/.test(type));
      expect(told).toEqual([
        'user_text',
        ...['tool_use', 'tool_result', 'user_text'],
        ...['tool_use', 'tool_result', 'user_text'],
      ]);
      // The notices stay part of the conversation.
      await session.stop();
      await fixture.turn(await fixture.open(), script({ text: 'later' }));
      expect(wordsOf(lastAsked(harness))).toEqual(['first word', 'second word']);
    });

    describe('a session that only answers', () => {
      const schema = VERDICT_SCHEMA;
      const verdict = { done: false, reason: 'a test is missing', missing: ['write the test'] };

      test("answers in the schema, without write tools and without a trace in the agent's session", async () => {
        const session = await fixture.open();
        await fixture.turn(session, script({ text: 'the first answer' }));
        const { pid } = session;
        const answering = await fixture.open({ answer: { schema } });
        const end = await fixture.turn(answering, script(harness.tools.shell.step('echo > made'), { verdict }));
        expect(end).toMatchObject({ status: 'completed', structured: verdict });
        expect(end.cost.usd).toBeGreaterThan(0);
        await answering.stop();
        expect(await answering.transcriptFiles()).toEqual([]);
        expect(harness.offered().filter(harness.tools.isActing)).toEqual([]);
        const files = await session.transcriptFiles();
        expect(files.length).toBeGreaterThan(0);
        // The agent's own session is unchanged.
        expect(session.pid).toBe(pid);
        await fixture.turn(session, script({ text: 'the second answer' }));
        expect(asked()).toContain('the first answer');
        expect(asked()).not.toContain('a test is missing');
      });

      test('reports an answer that does not match the schema', async () => {
        const answering = await fixture.open({ answer: { schema } });
        const end = await fixture.turn(answering, script({ verdict: null }));
        expect(end.structured).toBeUndefined();
        expect(end.cost.usd).toBeGreaterThan(0);
      });

      test('ends on an interrupt', async () => {
        const answering = await fixture.open({ answer: { schema } });
        const before = harness.asked().length;
        const running = fixture.turn(answering, script({ verdict, hang: true }));
        await until(() => harness.asked().length > before, 'the model to be asked');
        await answering.interrupt();
        expect((await running).status).toBe('interrupted');
      });
    });

    test('counts the usage of a turn whose program died', async () => {
      const session = await fixture.open();
      const { prompt, pids } = await fixture.endlessTool();
      const running = fixture.turn(session, prompt);
      await until(() => pids().length === 2, 'the tool to run');
      harness.kill(session);
      const end = await running;
      expect(end.status).toBe('crashed');
      expect(end.cost.usd).toBeGreaterThan(0);
      expect(fixture.eventsOf('cost').map(({ delta }) => delta)).toEqual([end.cost]);
      for (const pid of pids()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });

    test("gives the model the appended system prompt and the repository's instructions", async () => {
      let tell = (_: string): void => undefined;
      const projectInstructions = new Promise<string>((resolve) => (tell = resolve));
      const session = await fixture.open({ appendSystemPrompt: 'BE BRIEF', projectInstructions });
      const turn = fixture.turn(session, script({ text: 'yes' }));
      tell('USE TABS');
      await turn;
      expect(lastAsked(harness).system).toMatch(/BE BRIEF\s+USE TABS/);
    });

    test('ignores an interrupt when no turn runs', async () => {
      const session = await fixture.open();
      await session.interrupt();
      expect(await fixture.turn(session, script({ text: 'fine' }))).toMatchObject({ status: 'completed' });
    });

    test('an interrupt right after the prompt, or while the model thinks, ends the turn', async () => {
      const session = await fixture.open();
      const early = fixture.turn(session, script({ hang: true }));
      await session.interrupt();
      expect(await early).toMatchObject({ status: 'interrupted' });
      const before = harness.asked().length;
      const late = fixture.turn(session, script({ hang: true }));
      await until(() => harness.asked().length > before, 'the model to be asked');
      await session.interrupt();
      expect(await late).toMatchObject({ status: 'interrupted' });
      expect(await fixture.turn(session, script({ text: 'next' }))).toMatchObject({ status: 'completed' });
    });

    test('ends the turn as crashed when the program dies, and resumes with the history', async () => {
      const session = await fixture.open();
      await fixture.turn(session, script({ text: 'a fact to keep' }));
      const { prompt, pids } = await fixture.endlessTool();
      const turn = fixture.turn(session, prompt);
      await until(() => pids().length === 2, 'the tool to run');
      harness.kill(session);
      const end = await turn;
      for (const pid of pids()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      expect(end).toMatchObject({ status: 'crashed', error: { kind: 'program', retryable: true } });
      expect((await session.exited).reason).toContain('SIGKILL');
      expect(await fixture.turn(session, 'anyone there?')).toMatchObject({ status: 'crashed' });

      const again = await fixture.open({ appendSystemPrompt: 'A NEW ROLE' });
      expect(again.resumed).toBe(true);
      expect(await fixture.turn(again, script({ text: 'back' }))).toMatchObject({
        status: 'completed',
        response: 'back',
      });
      expect(asked()).toContain('a fact to keep');
      expect(lastAsked(harness).system).toContain('A NEW ROLE');
      expect(again.sessionId).toBe(session.sessionId);
      expect(fixture.eventsOf('session_start').at(-1)).toMatchObject({ resumed: true, session_id: session.sessionId });
    });

    test('resumes from a transcript with an incomplete last line', async () => {
      const session = await fixture.open();
      await fixture.turn(session, script({ text: 'a fact to keep' }));
      await session.stop();
      const [transcript] = await session.transcriptFiles();
      await appendFile(transcript ?? '', harness.tornLine);
      const again = await fixture.open();
      expect(again.resumed).toBe(true);
      expect(await fixture.turn(again, script({ text: 'back' }))).toMatchObject({
        status: 'completed',
        response: 'back',
      });
      expect(asked()).toContain('a fact to keep');
    });

    test('resumes in another home from the transcript files alone', async () => {
      const session = await fixture.open();
      await fixture.turn(session, script({ text: 'a fact to keep' }));
      await session.stop();
      const other = join(fixture.home, '..', 'other home');
      await mkdir(other);
      const files = await session.transcriptFiles();
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) await cp(file, join(other, relative(fixture.home, file)));
      const again = await fixture.open({ home: other });
      expect(again.resumed).toBe(true);
      await fixture.turn(again, script({ text: 'back' }));
      expect(asked()).toContain('a fact to keep');
    });

    test('reports an id by which it can be resumed, and starts a new session for an unknown id', async () => {
      const session = await fixture.open();
      await fixture.turn(session, script({ text: 'a fact to keep' }));
      await session.stop();
      const other = await fixture.open({ sessionId: randomUUID() });
      expect(other.resumed).toBe(false);
      expect(other.sessionId).not.toBe(session.sessionId);
      await fixture.turn(other, script({ text: 'nothing known' }));
      expect(asked()).not.toContain('a fact to keep');
      await other.stop();
      const again = await fixture.open({ sessionId: session.sessionId });
      expect(again).toMatchObject({ resumed: true, sessionId: session.sessionId });
      await fixture.turn(again, script({ text: 'back' }));
      expect(asked()).toContain('a fact to keep');
    });

    test('starts a session that was opened before but never prompted', async () => {
      await (await fixture.open()).stop();
      const session = await fixture.open();
      expect(await fixture.turn(session, script({ text: 'first' }))).toMatchObject({ status: 'completed' });
    });

    test('stopping during a turn leaves no process and ends the turn as interrupted', async () => {
      const session = await fixture.open();
      const { prompt, pids } = await fixture.endlessTool();
      const turn = fixture.turn(session, prompt);
      await until(() => pids().length === 2, 'the tool to run');
      await session.stop();
      expect(await turn).toMatchObject({ status: 'interrupted' });
      await session.exited;
      expect(session.pid === undefined || !isAlive(session.pid)).toBe(true);
      await until(() => !pids().some(isAlive), 'the processes of the tool to end');
      await session.stop();
    });

    test('adds up its cost deltas, also across a resume', async () => {
      const session = await fixture.open();
      const first = await fixture.turn(session, script({ text: 'one' }));
      const second = await fixture.turn(session, script({ text: 'two' }));
      await session.stop();
      const spentUsd = first.cost.usd + second.cost.usd;
      const third = await fixture.turn(await fixture.open({ spentUsd }), script({ text: 'three' }));
      expect(second.cost.usd).toBeCloseTo(first.cost.usd, 6);
      expect(third.cost.usd).toBeCloseTo(first.cost.usd, 6);
      expect(fixture.eventsOf('cost').at(-1)?.total_usd).toBeCloseTo(3 * first.cost.usd, 6);
      expect(Object.values(third.cost.by_model)[0]).toMatchObject({ input_tokens: 100, output_tokens: 20 });
    });
  });
}
