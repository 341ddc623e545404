import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EVENT_TEXT_LIMIT } from '../../../contract/wire/events.ts';
import { INLINE_TEXT_LIMIT } from '../../../contract/wire/turns.ts';
import {
  bash,
  cleanUp,
  eventOf,
  eventsUpTo,
  isRunning,
  makeFolder,
  openRequest,
  runTurn,
  script,
  startRunner,
  until,
} from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

afterEach(cleanUp);

async function openRunner(more: Parameters<typeof openRequest>[0] = {}): Promise<TestRunner> {
  const runner = await startRunner();
  await runner.client.open(openRequest(more));
  return runner;
}

const HANG = script({ hang: true });

function turn(turn_id: string, prompt: string) {
  return { turn_id, number: 1, prompt, inputs: [] };
}

async function started({ client }: TestRunner, turnId: string): Promise<void> {
  await eventOf(client, (event) => event.type === 'turn_start' && event.turn_id === turnId);
}

async function ended({ client }: TestRunner, turnId: string): Promise<void> {
  await eventOf(client, (event) => event.type === 'turn_complete' && event.turn_id === turnId);
}

describe('a turn', () => {
  it('runs once for repeated requests', async () => {
    const runner = await openRunner();
    const first = await runTurn(runner, 't1', bash('echo x >> ../runs'));
    expect(await runner.client.turn(turn('t1', bash('echo x >> ../runs')))).toEqual(first);
    const events = await eventsUpTo(runner.client, first.end_seq);
    expect(events.filter(({ event }) => event.type === 'turn_start')).toHaveLength(1);
    expect(events.filter(({ event }) => event.type === 'tool_use')).toHaveLength(1);
  });

  it('is reported as running while it runs', async () => {
    const runner = await openRunner();
    expect(await runner.client.turn(turn('t1', HANG))).toEqual({ state: 'running' });
    expect(await runner.client.turn(turn('t1', HANG))).toEqual({ state: 'running' });
    await runner.client.interrupt({ turn_id: 't1' });
  });

  it('is rejected while another one runs', async () => {
    const runner = await openRunner();
    await runner.client.turn(turn('t1', HANG));
    await expect(runner.client.turn(turn('t2', HANG))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'turn t1 is running',
    });
    await runner.client.interrupt({ turn_id: 't1' });
  });

  it('needs an open session', async () => {
    const runner = await startRunner();
    await expect(runner.client.turn(turn('t1', HANG))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      details: { reason: 'not_open' },
    });
  });

  it('is known to a restarted runner, also before the session is open', async () => {
    const folder = makeFolder();
    const runner = await startRunner({ folder });
    await runner.client.open(openRequest());
    const first = await runTurn(runner, 't/1 ü', bash('true'));
    await runner.served.stop();
    const again = await startRunner({ folder });
    expect(await again.client.turn(turn('t/1 ü', 'x'))).toEqual(first);
  });

  it('passes a prompt of 1 MB', async () => {
    const runner = await openRunner();
    const { outcome } = await runTurn(runner, 't1', 'é\n'.repeat(350_000) + script({ text: 'read it' }));
    expect(outcome.response).toBe('read it');
  });

  it('cuts a tool result of 5 MB in the journal, and a response at the limit in bytes', async () => {
    const runner = await openRunner();
    const { outcome, end_seq } = await runTurn(
      runner,
      't1',
      script(
        { tool: 'Bash', input: { command: "head -c 5000000 /dev/zero | tr '\\0' x" } },
        { text: '€'.repeat(20_000) },
      ),
    );
    const events = await eventsUpTo(runner.client, end_seq);
    const result = events.find(({ event }) => event.type === 'tool_result')?.event;
    expect(result).toMatchObject({ whole_bytes: 5_000_000, text: 'x'.repeat(EVENT_TEXT_LIMIT) });
    expect(Buffer.byteLength(outcome.response)).toBeLessThanOrEqual(INLINE_TEXT_LIMIT);
    expect(outcome.response.startsWith('€€')).toBe(true);
  });

  it('replaces invalid UTF-8 in a tool result and keeps control characters', async () => {
    const runner = await openRunner();
    const { end_seq } = await runTurn(runner, 't1', bash("printf 'a\\377\\033[31m\\000b'"));
    const events = await eventsUpTo(runner.client, end_seq);
    const result = events.find(({ event }) => event.type === 'tool_result')?.event;
    expect(result).toMatchObject({ text: 'a\ufffd\u001b[31m\u0000b' });
  });

  it('shows no secret: not in inputs, tools, results, response or commits', async () => {
    const env = { API_TOKEN: 'tok-0123456789', SHORT: 'abc' };
    const runner = await openRunner({ env, secret_names: ['API_TOKEN', 'SHORT'] });
    const prompt = script(
      { tool: 'Bash', input: { command: 'echo "$API_TOKEN"; echo -n "$API_TOKEN" | base64; echo tok-0123456789' } },
      { text: 'the token is tok-0123456789' },
    );
    const inputs = [{ id: 'i', kind: 'prompt' as const, from: 'me', text: 'use tok-0123456789' }];
    await runner.client.turn({ turn_id: 't1', number: 1, prompt, inputs });
    await ended(runner, 't1');
    const reply = await runner.client.turn(turn('t1', prompt));
    const events = JSON.stringify(await eventsUpTo(runner.client, reply.end_seq ?? 0));
    expect(reply.outcome?.response).toBe('the token is [secret API_TOKEN]');
    expect(events).not.toContain('tok-0123456789');
    expect(events).not.toContain(Buffer.from('tok-0123456789').toString('base64').slice(0, 12));
  });
});

describe('a notice', () => {
  const HOLD = 'while [ ! -e go ]; do sleep 0.02; done';
  const GIVEN = script(
    { tool: 'Bash', input: { command: HOLD } },
    { tool: 'Bash', input: { command: 'true' } },
    { text: 'done' },
  );
  const notice = { id: 'n1', text: 'a word' };

  async function asking(): Promise<{ readonly runner: TestRunner; readonly asked: string[] }> {
    const asked: string[] = [];
    const runner = await startRunner({ onAsk: (last) => asked.push(last) });
    await runner.client.open(openRequest());
    return { runner, asked };
  }

  it('reaches the model of the running turn after its next tool, once; the outcome and the journal say so', async () => {
    const { runner, asked } = await asking();
    await runner.client.turn(turn('t1', GIVEN));
    await eventOf(runner.client, ({ type }) => type === 'tool_use');
    for (let times = 0; times < 2; times += 1) await runner.client.notice({ turn_id: 't1', notice });
    writeFileSync(path.join(runner.paths.work, 'go'), '');
    await ended(runner, 't1');
    expect(asked.map((last) => last === 'a word')).toEqual([false, true, false]);
    const { outcome, end_seq } = await runner.client.turn(turn('t1', GIVEN));
    expect(outcome).toMatchObject({ status: 'completed', notices: ['n1'] });
    const events = (await eventsUpTo(runner.client, end_seq ?? 0)).map(({ event }) => event);
    expect(events).toContainEqual({ type: 'user_text', text: 'a word', notice: 'n1' });
  });

  it('that arrives before its turn waits for it, and is not delivered in another turn', async () => {
    const { runner, asked } = await asking();
    await runner.client.notice({ turn_id: 't2', notice });
    await runner.client.notice({ turn_id: 't1', notice });
    expect((await runTurn(runner, 't1', bash('true'))).outcome.notices).toEqual(['n1']);
    await runner.client.notice({ turn_id: 't1', notice: { ...notice, id: 'late' } });
    expect((await runTurn(runner, 't2', bash('true'))).outcome.notices).toBeUndefined();
    expect(asked.filter((last) => last === 'a word')).toHaveLength(1);
  });

  it('is not in the outcome of a turn that used no tool after it', async () => {
    const { runner } = await asking();
    await runner.client.notice({ turn_id: 't1', notice });
    expect((await runTurn(runner, 't1', script({ text: 'done' }))).outcome.notices).toBeUndefined();
  });

  it('without a text is rejected', async () => {
    const { runner } = await asking();
    const empty = { turn_id: 't1', notice: { id: 'n1', text: '' } };
    await expect(runner.client.notice(empty)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('an interrupt', () => {
  it('ends the turn and its processes, and keeps its changes', async () => {
    const runner = await openRunner();
    const command = 'echo kept > kept; (sleep 3600 & echo $! > pid); mv pid pid.whole; sleep 3600';
    await runner.client.turn(turn('t1', bash(command)));
    await eventOf(runner.client, (event) => event.type === 'tool_use');
    const pidFile = path.join(runner.paths.work, 'pid.whole');
    await until(() => existsSync(pidFile));
    await runner.client.interrupt({ turn_id: 't1' });
    await ended(runner, 't1');
    const { outcome } = await runner.client.turn(turn('t1', 'x'));
    expect(outcome?.status).toBe('interrupted');
    expect(existsSync(path.join(runner.paths.work, 'kept'))).toBe(true);
    expect(isRunning(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
  });

  it('that arrives before its turn ends it without a model request, also after a restart', async () => {
    const folder = makeFolder();
    const first = await startRunner({ folder });
    await first.client.interrupt({ turn_id: 't1' });
    await first.served.stop();
    const runner = await startRunner({ folder });
    const reply = await runner.client.turn(turn('t1', bash('echo ran')));
    expect(reply).toMatchObject({ state: 'ended', outcome: { status: 'interrupted', cost: { usd: 0 } } });
    const events = await eventsUpTo(runner.client, reply.end_seq ?? 0);
    expect(events.map(({ event }) => event.type).slice(-2)).toEqual(['turn_start', 'turn_complete']);
  });

  it('of a turn that has ended changes nothing', async () => {
    const runner = await openRunner();
    const first = await runTurn(runner, 't1', bash('true'));
    await runner.client.interrupt({ turn_id: 't1' });
    expect(await runner.client.turn(turn('t1', 'x'))).toEqual(first);
  });

  it('leaves the session usable', async () => {
    const runner = await openRunner();
    await runner.client.turn(turn('t1', HANG));
    await started(runner, 't1');
    await runner.client.interrupt({ turn_id: 't1' });
    await ended(runner, 't1');
    expect((await runTurn(runner, 't2', bash('true'))).outcome.status).toBe('completed');
  });
});

describe('the end of a runner', () => {
  it.each(['cut_off', 'interrupted'] as const)('by request ends the turn as %s', async (status) => {
    const folder = makeFolder();
    const runner = await startRunner({ folder });
    await runner.client.open(openRequest());
    await runner.client.turn(turn('t1', HANG));
    await started(runner, 't1');
    await runner.client.stop({ status });
    await runner.served.stopped;
    const again = await startRunner({ folder });
    expect((await again.client.turn(turn('t1', 'x'))).outcome?.status).toBe(status);
  });

  it('gives followers the last events before it closes their streams', async () => {
    const runner = await openRunner();
    await runner.client.turn(turn('t1', HANG));
    await started(runner, 't1');
    const seen: string[] = [];
    const following = (async () => {
      for await (const batch of runner.client.events(0, AbortSignal.timeout(60_000))) {
        seen.push(...batch.map(({ event }) => event.type));
      }
    })().catch(() => undefined);
    await runner.client.stop({ status: 'cut_off' });
    await following;
    expect(seen.slice(-2)).toEqual(['turn_complete', 'session_end']);
  });

  it('rejects new work while it stops', async () => {
    const runner = await openRunner();
    await runner.client.turn(turn('t1', HANG));
    await started(runner, 't1');
    const stop = runner.client.stop({ status: 'cut_off' });
    const next = runner.client.turn(turn('t2', HANG)).catch((error: unknown) => error);
    await stop;
    expect(await next).toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|FAILED_PRECONDITION/) });
  });
});
