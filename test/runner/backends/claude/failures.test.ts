// All failures of model requests, with the real program: the turn ends with the reason, and the session continues.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { AgentSession } from '../../../../runner/backends/backend.ts';
import { script, SessionFixture } from '../../../../runner/backends/conformance-fixture.ts';
import type { ClaudeHarness } from './real-program.ts';
import { describeWithClaude, startClaudeHarness, TEST_MS } from './real-program.ts';

const tooLong = 'prompt is too long: 210000 tokens > 200000 maximum';
const noCredit = 'Your credit balance is too low to access the Anthropic API.';

describeWithClaude('a failed model request', () => {
  let harness: ClaudeHarness;
  let fixture: SessionFixture;
  let session: AgentSession;

  beforeAll(async () => {
    harness = await startClaudeHarness();
    fixture = await SessionFixture.create(harness);
    session = await fixture.open();
  }, TEST_MS);
  afterAll(async () => {
    await fixture.remove();
    await harness.stop();
  }, TEST_MS);
  afterEach(() => void fixture.events.splice(0));

  it.each([
    ['a refused key', { status: 401 }, 'authentication', false],
    ['a forbidden model', { status: 403, message: 'not yours' }, 'permission', false],
    ['an invalid request', { status: 400, message: 'odd' }, 'invalid_request', false],
    ['an unknown model', { status: 404, message: 'model: x' }, 'model_not_found', false],
    ['an empty account', { status: 400, message: noCredit }, 'billing', false],
    ['a rate limit', { status: 429 }, 'rate_limit', true],
    ['a rate limit with a long wait', { status: 429, headers: { 'retry-after': '600' } }, 'rate_limit', true],
    ['a server error', { status: 500 }, 'server_error', true],
    ['an overloaded server', { status: 529 }, 'overloaded', true],
    ['a connection that breaks before the answer', { text: 'never whole', cut: 'start' }, 'connection', true],
    [
      'a connection that breaks during the answer',
      { text: 'never whole, whatever comes', cut: 'mid' },
      'connection',
      true,
    ],
    ['a context that is too long', { status: 400, message: tooLong }, 'context_too_long', false],
  ])(
    '%s ends the turn with the reason and what to do',
    async (_name, step, kind, retryable) => {
      const end = await fixture.turn(session, script(step));
      expect(end).toMatchObject({ status: 'api_error', error: { kind, retryable } });
      expect(end.error?.message).not.toBe('');
      expect(end.error?.action).not.toBe('');
      expect(fixture.events.at(-1)).toMatchObject({ type: 'error', code: kind });
      expect(fixture.eventsOf('assistant_text')).toEqual([]);
      expect(await fixture.turn(session, script({ text: 'on we go' }))).toMatchObject({ status: 'completed' });
    },
    TEST_MS,
  );

  it(
    'with a rejected key ends the turn at once instead of retrying for minutes',
    async () => {
      const before = harness.model.count();
      await fixture.turn(session, script({ status: 401 }));
      // Two more come from the program's check for a newer key.
      expect(harness.model.count() - before).toBeLessThanOrEqual(4);
    },
    TEST_MS,
  );

  it(
    'of a rate limit waits as long as the server requests, and reports the retry',
    async () => {
      const step = { status: 429, headers: { 'retry-after': '1' }, times: 1, text: 'at last' };
      expect(await fixture.turn(session, script(step))).toMatchObject({ status: 'completed', response: 'at last' });
      const [retry] = fixture.eventsOf('retry');
      expect(retry).toMatchObject({ attempt: 1, max_attempts: 1, http_status: 429, error: 'rate_limit' });
      expect(retry?.delay_ms).toBeGreaterThanOrEqual(1_000);
    },
    TEST_MS,
  );

  it(
    'reports a wait of at least a minute when the program does not report the requested one',
    async () => {
      const end = await fixture.turn(session, script({ status: 429, headers: { 'retry-after': '600' } }));
      expect(end.error?.retry_after_ms).toBe(60_000);
      expect(fixture.eventsOf('retry')).toEqual([]);
    },
    TEST_MS,
  );

  it.each([
    ['an error in the stream', { sseError: 'overloaded_error', times: 1, text: 'whole' }],
    ['a stream that is not JSON', { malformed: true, times: 1, text: 'whole' }],
    ['a stream that breaks', { cut: 'mid', times: 1, text: 'whole' }],
    ['an overloaded server', { status: 529, times: 1, text: 'whole' }],
  ])(
    'that happens once is retried within the turn: %s',
    async (_name, step) => {
      expect(await fixture.turn(session, script(step))).toMatchObject({ status: 'completed', response: 'whole' });
      expect(fixture.eventsOf('assistant_text').map(({ text }) => text)).toEqual(['whole']);
    },
    TEST_MS,
  );
});

describeWithClaude('no model to reach', () => {
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

  it(
    'a refused connection is a connection error',
    async () => {
      const session = await fixture.open({ env: { ...harness.env, ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' } });
      const end = await fixture.turn(session, 'hello');
      expect(end).toMatchObject({ status: 'api_error', error: { kind: 'connection', retryable: true } });
      expect(end.error?.action).toContain('ANTHROPIC_BASE_URL');
    },
    TEST_MS,
  );

  it(
    'no credentials at all ends the turn at once and names the variables',
    async () => {
      const { ANTHROPIC_API_KEY: _, ...env } = harness.env;
      const session = await fixture.open({ env });
      const end = await fixture.turn(session, 'hello');
      expect(end).toMatchObject({ status: 'api_error', error: { kind: 'no_credentials', retryable: false } });
      expect(end.error?.action).toMatch(/ANTHROPIC_API_KEY.*CLAUDE_CODE_OAUTH_TOKEN/);
      expect(harness.model.count()).toBe(0);
    },
    TEST_MS,
  );

  it(
    "a subscription's limit says when it ends",
    async () => {
      const { ANTHROPIC_API_KEY: _, ...env } = harness.env;
      const session = await fixture.open({ env: { ...env, CLAUDE_CODE_OAUTH_TOKEN: 'scripted-token' } });
      const reset = Math.floor(Date.now() / 1_000) + 3_600;
      const headers = {
        'retry-after': '3600',
        'anthropic-ratelimit-unified-status': 'rejected',
        'anthropic-ratelimit-unified-reset': String(reset),
      };
      const end = await fixture.turn(session, script({ status: 429, headers }));
      expect(end).toMatchObject({ status: 'api_error', error: { kind: 'rate_limit', retryable: true } });
      expect(end.error?.retry_after_ms).toBeGreaterThan(3_000_000);
      expect(end.error?.retry_after_ms).toBeLessThanOrEqual(3_600_000);
      expect(harness.model.requests[0]?.credential).toBe('scripted-token');
    },
    TEST_MS,
  );
});
